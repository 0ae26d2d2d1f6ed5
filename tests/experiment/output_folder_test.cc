// SPDX-License-Identifier: Apache-2.0
#include "signstep/experiment/output_folder.h"
#include "signstep/experiment/same_data.h"

#include <filesystem>

#include "signstep/experiment/run_state.h"
#include "tests/experiment/made_up_comparison.h"

namespace signstep {
namespace {

using testing::HasSubstr;

class OutputFolderTest : public ComparisonTest {
 protected:
  static std::string with(const std::string& part, const std::string& other) {
    std::string text = kText;
    const size_t at = text.find(part);
    EXPECT_NE(at, std::string::npos) << part;
    return text.replace(at, part.size(), other);
  }
  static std::string refusal(const ExperimentPlan& p) {
    return message_of<OptionError>([&] { claim_output(p); });
  }
};

TEST_F(OutputFolderTest, FoldersOfSomethingElseAreRefused) {
  std::filesystem::create_directories(folder_.path("out"));
  write_file_atomic(folder_.path("out/mine"), "x");
  EXPECT_THAT(refusal(plan()), HasSubstr("is not empty and no experiment's folder"));
  EXPECT_FALSE(std::filesystem::exists(folder_.path("out/experiment.json")));
  std::filesystem::remove(folder_.path("out/mine"));

  claim_output(plan());
  claim_output(plan());
  EXPECT_THAT(refusal(make_plan(parse_experiment(kText, "other.toml"), folder_.path("out"))),
              HasSubstr("belongs to the experiment 'e', and this one is 'other'"));

  leave_tuning(plan());
  claim_output(plan());
  std::string changed = kText;
  changed.replace(changed.find("epochs = 1"), 10, "epochs = 3");
  const std::string message = refusal(plan(changed));
  EXPECT_THAT(message, HasSubstr("holds a run of another experiment: epochs is 1 there and 3 here"));
  EXPECT_THAT(message, HasSubstr("out/tuning/SGD/learning_rate=0.1/seed-101"));
}

// Longer lists, more seeds and methods, other words: what is finished still belongs to the table.
TEST_F(OutputFolderTest, AFileThatGrewKeepsItsRuns) {
  leave_all(plan());
  claim_output(plan());
  const size_t runs = runs_there(plan()).size();
  EXPECT_EQ(runs, 18u);
  const std::string method = "[[method]]\nname = \"new\"\noptimizer = \"lion\"\n";
  for (const std::string& text :
       {with("[0.1, 0.2, 0.4]", "[0.05, 0.1, 0.2, 0.4, 0.8]"), with("seeds = [1, 2, 3]", "seeds = [0, 1, 2, 3, 4]"),
        with("[101, 102]", "[101, 102, 103]"), with("[paper]", method + "[paper]"),
        with("[train]", "[train]\nthreads = 1"),
        "title = \"Other words\"\nbaseline = \"SGD\"" + with("\"other seeds\"", "\"none\"")}) {
    SCOPED_TRACE(text);
    EXPECT_NO_THROW(claim_output(plan(text)));
    EXPECT_EQ(runs_there(plan(text)).size(), runs);
  }
}

TEST_F(OutputFolderTest, AnotherExperimentOfTheSameNameIsRefused) {
  leave_all(plan());
  claim_output(plan());
  const std::string before = read_text_file(folder_.path("out/experiment.json"));
  EXPECT_THAT(refusal(plan(with("[0.1, 0.2, 0.4]", "[0.1, 0.2]"))),
              HasSubstr("holds 7 runs that this file does not ask for, such as "));
  EXPECT_THAT(refusal(plan(with("[1, 2, 3]", "[1, 2]"))), HasSubstr("reported/SGD/learning_rate=0.2/seed-3"));
  EXPECT_THAT(refusal(plan(with("[101, 102]", "[102]"))), HasSubstr("tuning/SGD/learning_rate=0.1/seed-101"));
  EXPECT_THAT(refusal(plan(with("\"SGD\"", "\"other\""))), HasSubstr("9 runs that this file does not ask for"));
  EXPECT_THAT(refusal(plan(with("optimizer = \"sgd\"", "optimizer = \"adam\""))),
              HasSubstr("holds a run of another experiment: optimizer is sgd there and adam here"));
  EXPECT_EQ(read_text_file(folder_.path("out/experiment.json")), before);
}

// As published results are: the runs alone, in a folder of any name.
TEST_F(OutputFolderTest, RunsWithoutAMarkAreEnough) {
  leave_all(plan());
  write_file_atomic(folder_.path("out/README.md"), "x");
  EXPECT_NO_THROW(check_output(plan()));
  EXPECT_FALSE(std::filesystem::exists(folder_.path("out/experiment.json")));
  EXPECT_THAT(refusal(plan(with("\"SGD\"", "\"other\""))), HasSubstr("does not ask for"));
}

TEST_F(OutputFolderTest, ADamagedMarkIsNamed) {
  std::filesystem::create_directories(folder_.path("out"));
  const auto message = [&](const std::string& text) {
    write_file_atomic(folder_.path("out/experiment.json"), text);
    return message_of<DataError>([&] { check_output(plan()); });
  };
  EXPECT_THAT(message("{\"experiment\": 5}"), HasSubstr("experiment.json: experiment is 5; wanted text"));
  EXPECT_THAT(message("[]"), HasSubstr("wanted a JSON object"));
  EXPECT_THAT(message(std::string(80000, '[')), HasSubstr("within each other"));
}

TEST_F(OutputFolderTest, AnotherProgramsTableIsNoMark) {
  std::filesystem::create_directories(folder_.path("out"));
  write_file_atomic(folder_.path("out/table.json"), "{\"rows\": []}");
  EXPECT_THAT(refusal(plan()), HasSubstr("is not empty and no experiment's folder"));
}

TEST_F(OutputFolderTest, ARunWhoseSettingsCannotBeReadIsNoRefusal) {
  leave_all(plan());
  const PlannedRun run = plan().tuning.front();
  write_file_atomic(run.folder + "/config.toml", "epochs = [");
  EXPECT_NO_THROW(claim_output(plan()));
  EXPECT_EQ(run_state(run).status, RunStatus::kDamaged);
}

TEST(SameDataTest, OneChecksumForEachDataSet) {
  SameData data;
  data.saw("cifar10", "aaaa", "the run a");
  data.saw("cifar10", "", "the run b");
  data.saw("cifar100", "bbbb", "the run c");
  data.saw("cifar10", "aaaa", "the run d");
  EXPECT_THAT(message_of<DataError>([&] { data.saw("cifar10", "cccc", "the run e"); }),
              HasSubstr("the run e has images of cifar10 with the checksum cccc, and the run a has aaaa"));
}

}  // namespace
}  // namespace signstep
