// SPDX-License-Identifier: Apache-2.0
#include "signstep/experiment/comparison.h"

#include <gmock/gmock.h>

#include <cmath>

#include "signstep/experiment/comparison_files.h"
#include "signstep/experiment/comparison_table.h"
#include "signstep/io/folder_lock.h"
#include "tests/experiment/made_up_comparison.h"

namespace signstep {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

TEST_F(ComparisonTest, ChoosesOnValidationAndReportsOnTest) {
  const ExperimentPlan p = plan();
  leave_all(p);
  const Comparison c = compare_runs(p);
  EXPECT_TRUE(c.complete());
  EXPECT_EQ(c.runs_done, 18u);
  EXPECT_EQ(settings_text(c.rows[0].chosen_settings), "learning_rate 0.2");
  EXPECT_TRUE(c.rows[0].edges.empty());
  EXPECT_THAT(c.rows[1].edges, ElementsAre("learning_rate 0.4 is the highest of its grid"));
  EXPECT_DOUBLE_EQ(c.rows[0].trials[0].validation.mean, 35.05);  // the diverged one counts as 0
  EXPECT_EQ(c.rows[0].trials[0].diverged, 1u);
  EXPECT_DOUBLE_EQ(c.rows[0].accuracy.mean, 62);
  EXPECT_DOUBLE_EQ(c.rows[0].accuracy.sd, 1);
  const PairedDifference& d = *c.rows[1].versus_baseline;  // 2, 3, 4
  EXPECT_EQ(d.n, 3u);
  EXPECT_DOUBLE_EQ(d.mean, 3);
  EXPECT_NEAR(d.high, 3 + 4.302652729749464 / std::sqrt(3.0), 1e-9);
  EXPECT_EQ(d.holm_p, d.p);
  EXPECT_FALSE(c.rows[0].versus_baseline);

  const std::string text = terminal_text(c);
  for (const char* part : {"62.00 ± 1.00 %", "+3.00 [+0.52, +5.48]", "91.38 %", "learning_rate 0.4 (edge)",
                           "Differs from the paper: other seeds."})
    EXPECT_THAT(text, HasSubstr(part));
  EXPECT_THAT(markdown_text(c, "signstep compare e.toml"),
              HasSubstr("| Sign\\|um, \"b\" | learning_rate 0.4 (edge) | 3 |"));
  EXPECT_THAT(csv_text(c), HasSubstr("\n\"Sign|um, \"\"b\"\"\",learning_rate 0.4,learning_rate 0.4 is the highest of "
                                     "its grid,3,3,0,65,2,SGD,3,3,"));
  const auto json = nlohmann::json::parse(json_text(c));
  EXPECT_EQ(json["rows"][0]["trials"][1]["validation_accuracy"], 80.05);
  EXPECT_EQ(json["rows"][1]["runs"].size(), 3u);
  EXPECT_EQ(report_groups(c).size(), 2u);
}

// A run of several workers says what travelled; one of a single worker has nothing to say.
TEST_F(ComparisonTest, WhatWorkersSentStandsBesideFloat32) {
  const ExperimentPlan p = plan();
  leave_all(p);
  EXPECT_THAT(terminal_text(compare_runs(p)), Not(HasSubstr("worker sent")));
  for (const PlannedRun& run : p.reported(1, 2)) {
    const std::string path = run.folder + "/metrics.jsonl";
    auto epoch = nlohmann::ordered_json::parse(read_text_file(path));
    epoch["wire"] = {{"vote", 3'000'000 + 1'000'000 * run.seed}, {"gradient", 1'000'000}, {"float32", 192'000'000}};
    write_json_lines(path, {epoch});
  }
  const Comparison c = compare_runs(p);
  EXPECT_EQ(c.rows[0].sent_bytes.n, 0u);
  EXPECT_DOUBLE_EQ(c.rows[1].sent_bytes.mean, 6e6);
  EXPECT_THAT(terminal_text(c), HasSubstr("6 MB (3.1 %)"));
  EXPECT_THAT(terminal_text(c), HasSubstr("beside float32 sums of every gradient"));
  EXPECT_THAT(csv_text(c), HasSubstr(",6000000,192000000,60\n"));
  EXPECT_THAT(csv_text(c), HasSubstr(",,60\n"));
  EXPECT_EQ(nlohmann::json::parse(json_text(c))["rows"][1]["wire"]["sent"], 6e6);
}

// While a comparison goes on another process may fill its folders by another version of the file.
TEST_F(ComparisonTest, ARunOfOtherSettingsIsLeftOutAndNamed) {
  const ExperimentPlan p = plan();
  leave_all(p);
  std::string text = kText;
  text.replace(text.find("width = 4"), 9, "width = 8");
  const ExperimentPlan other = plan(text);
  leave(other.reported(0, 1)[2], 99);
  std::filesystem::remove(p.reported(1, 2)[0].folder + "/config.toml");
  const Comparison c = compare_runs(p);
  ASSERT_EQ(c.damaged.size(), 2u);
  EXPECT_THAT(c.damaged[0].state.problem, HasSubstr("a run of another experiment: width is 8 there and 4 here"));
  EXPECT_THAT(c.damaged[1].state.problem, HasSubstr("has a run.json and no config.toml"));
  EXPECT_DOUBLE_EQ(c.rows[0].accuracy.mean, 61.5);
}

TEST_F(ComparisonTest, DivergedRunsAreSaidAndLeftOutOfTheMean) {
  const ExperimentPlan p = plan();
  leave_tuning(p);
  for (const PlannedRun& run : p.reported(0, 1)) leave(run, 60, run.seed == 2 ? "diverged" : "finished");
  const Comparison c = compare_runs(p);
  EXPECT_EQ(c.rows[0].accuracy.n, 2u);
  EXPECT_THAT(terminal_text(c), HasSubstr("2 of 3 (1 diverged)"));
}

// A mean over four seeds beside a difference over three of them must not look like one thing.
TEST_F(ComparisonTest, ADifferenceSaysHowManyPairsItHas) {
  std::string text = kText;
  text.replace(text.find("seeds = [1, 2, 3]"), 17, "seeds = [1, 2, 3, 4]");
  const ExperimentPlan p = plan(text);
  leave_tuning(p);
  for (const PlannedRun& run : p.reported(0, 1)) leave(run, 60, run.seed == 4 ? "diverged" : "finished");
  for (const PlannedRun& run : p.reported(1, 2)) leave(run, 62 + static_cast<double>(run.seed));
  EXPECT_THAT(terminal_text(compare_runs(p)), HasSubstr("] (3 pairs)"));
}

// What the table does not say of two pairs, no file says, and Holm does not count.
TEST_F(ComparisonTest, TwoPairsHaveNoP) {
  const ExperimentPlan p = plan();
  leave_tuning(p);
  for (const PlannedRun& run : p.reported(0, 1)) leave(run, 60, run.seed == 2 ? "diverged" : "finished");
  for (const PlannedRun& run : p.reported(1, 2)) leave(run, 62 + static_cast<double>(run.seed));
  const Comparison c = compare_runs(p);
  EXPECT_EQ(c.rows[1].versus_baseline->n, 2u);
  EXPECT_TRUE(std::isnan(c.rows[1].versus_baseline->holm_p));
  EXPECT_THAT(terminal_text(c), HasSubstr("(2 pairs, too few)"));
  const auto difference = nlohmann::json::parse(json_text(c))["rows"][1]["difference"];
  EXPECT_EQ(difference["pairs"], 2);
  for (const char* withheld : {"low", "high", "p", "holm_p"}) EXPECT_TRUE(difference[withheld].is_null()) << withheld;
}

// Holm's family is what the file asks for, so a table that is looked at on the way does not promise too much.
TEST_F(ComparisonTest, RowsToComeCountForHolm) {
  const std::string text = kText;
  const std::string third = "[[method]]\nname = \"third\"\noptimizer = \"signum\"\n[paper]";
  const ExperimentPlan p = plan(text.substr(0, text.find("[paper]")) + third + text.substr(text.find("[paper]") + 7));
  leave_tuning(p);
  for (const PlannedRun& run : p.reported(0, 1)) leave(run, 60.0 + static_cast<double>(run.seed));
  for (const PlannedRun& run : p.reported(1, 2)) leave(run, 61.0 + 2 * static_cast<double>(run.seed));
  const Comparison c = compare_runs(p);
  EXPECT_DOUBLE_EQ(c.rows[1].versus_baseline->holm_p, 2 * c.rows[1].versus_baseline->p);
  EXPECT_TRUE(std::isnan(c.rows[2].versus_baseline->holm_p));
  EXPECT_THAT(csv_text(c), HasSubstr("third,learning_rate 0.4,learning_rate 0.4 is the highest of its grid,0,3,0,"));
}

TEST_F(ComparisonTest, SaysWhyThereIsNoDifference) {
  const std::string text = kText;
  const size_t name = text.find("paper = 91.38");
  const ExperimentPlan own =
      plan(text.substr(0, name) + "[method.grid]\nmomentum = [0.8, 0.9]\n" + text.substr(name + 13));
  for (const PlannedRun& run : own.tuning) leave(run, 70);
  for (size_t r = 0; r < own.rows.size(); ++r)
    for (const PlannedRun& run : own.reported(r, 0)) leave(run, 80);
  EXPECT_THAT(terminal_text(compare_runs(own)), HasSubstr("No differences: SGD has a grid of its own"));
}

// Where the experiment leaves the engine to the machine, two machines may have chosen two.
TEST_F(ComparisonTest, RunsOfTwoEnginesAreNotComparedSilently) {
  const ExperimentPlan p = plan();
  leave_all(p);
  EXPECT_THAT(terminal_text(compare_runs(p)), Not(HasSubstr("Not computed alike")));
  const auto use_engine = [](const PlannedRun& run, const std::string& engine) {
    const std::string config = run.folder + "/config.toml";
    std::string text = read_text_file(config);
    const size_t at = text.find("engine = "), end = text.find('\n', at);
    ASSERT_NE(at, std::string::npos);
    write_file_atomic(config, text.replace(at, end - at, "engine = \"" + engine + "\""));
  };
  use_engine(p.reported(1, 2)[0], "avx512");
  EXPECT_THAT(terminal_text(compare_runs(p)), HasSubstr("Not computed alike: engine avx512, torch."));

  // A row that names its engine says so itself; what it leaves open beside that is still compared with the others.
  std::string named = kText;
  const std::string method = "optimizer = \"signum\"";
  named.replace(named.find(method), method.size(), method + "\nengine = \"avx512\"");
  const ExperimentPlan q = plan(named);
  for (const PlannedRun& run : q.tuning)
    if (run.row == 1) use_engine(run, "avx512");
  for (const PlannedRun& run : q.reported(1, 2)) use_engine(run, "avx512");
  EXPECT_THAT(terminal_text(compare_runs(q)), Not(HasSubstr("Not computed alike")));
}

TEST_F(ComparisonTest, StateOfAFolder) {
  const ExperimentPlan p = plan();
  const PlannedRun& run = p.tuning.front();
  EXPECT_EQ(run_state(run).status, RunStatus::kAbsent);
  leave(run, 50, "running");  // killed
  EXPECT_EQ(run_state(run).status, RunStatus::kPartial);
  EXPECT_EQ(run_state(run).epochs, 1u);
  leave(run, 50);
  EXPECT_EQ(run_state(run).status, RunStatus::kFinished);
  std::filesystem::remove(run.folder + "/metrics.jsonl");  // finished needs its epochs, and is never done again unasked
  EXPECT_EQ(run_state(run).status, RunStatus::kDamaged);
  EXPECT_THAT(run_state(run).problem, HasSubstr("is finished and has 0 of 1 epochs in metrics.jsonl"));
  EXPECT_FALSE(folder_in_use(run.folder));
  const FolderLock lock(run.folder);
  EXPECT_TRUE(folder_in_use(run.folder));
}

TEST_F(ComparisonTest, ADamagedRunIsNamedAndLeftOut) {
  const ExperimentPlan p = plan();
  const PlannedRun run = p.reported(0, 1)[1];
  const auto rewrite = [&](const char* file, const char* part, const std::string& other) {
    std::string text = read_text_file(run.folder + file);
    const size_t at = text.find(part);
    ASSERT_NE(at, std::string::npos) << part;
    write_file_atomic(run.folder + file, text.replace(at, std::string(part).size(), other));
  };
  const std::pair<std::function<void()>, const char*> damages[] = {
      {[&] { rewrite("/run.json", "\"status\":\"finished\"", "\"status\":5"); }, "run.json: status is 5; wanted text"},
      {[&] { rewrite("/run.json", "\"data\":{", "\"data\":5,\"x\":{"); }, "run.json: data is 5; wanted an object"},
      {[&] { write_file_atomic(run.folder + "/run.json", "[]"); }, "run.json is a list; wanted a JSON object"},
      {[&] { write_file_atomic(run.folder + "/run.json", std::string(80000, '[')); }, "within each other"},
      {[&] { write_file_atomic(run.folder + "/metrics.jsonl", std::string(200000, '[') + "\n"); }, "within each other"},
      {[&] { write_file_atomic(run.folder + "/metrics.jsonl", "[1, 2]\n"); }, "metrics.jsonl:1: not a JSON object"},
      {[&] { write_file_atomic(run.folder + "/config.toml", "epochs = \"many\"\n"); },
       "config.toml:1:1: epochs is 'many'"},
      {[&] { rewrite("/metrics.jsonl", "\"test_accuracy\":62.0", "\"test_accuracy\":99.9"); },
       "metrics.jsonl contradicts run.json: test_accuracy of the last epoch is 99.9 here and 62.0 there"},
      {[&] { rewrite("/run.json", "\"last_epoch\":{", "\"last_epoch\":null,\"x\":{"); }, "last_epoch is null"},
      {[&] {
         rewrite("/metrics.jsonl", "\"test_accuracy\":62.0", "\"test_accuracy\":null");
         rewrite("/run.json", "\"test_accuracy\":62.0", "\"test_accuracy\":null");
       },
       "test_accuracy is null; wanted a number"}};
  leave_all(p);
  for (const auto& [damage, message] : damages) {
    SCOPED_TRACE(message);
    leave(run, 62);
    damage();
    const Comparison c = compare_runs(p);
    ASSERT_EQ(c.damaged.size(), 1u);
    EXPECT_EQ(c.damaged[0].folder, "reported/SGD/learning_rate=0.2/seed-2");
    EXPECT_THAT(c.damaged[0].state.problem, HasSubstr(message));
    EXPECT_EQ(c.rows[0].accuracy.n, 2u);
    EXPECT_EQ(c.rows[1].accuracy.n, 3u);
    EXPECT_EQ(c.rows[1].versus_baseline->n, 2u);
    EXPECT_FALSE(c.complete());
    EXPECT_THAT(terminal_text(c), HasSubstr("2 of 3 (1 damaged)"));
    EXPECT_THAT(terminal_text(c), HasSubstr("Left out, damaged: reported/SGD/learning_rate=0.2/seed-2: "));
    EXPECT_EQ(nlohmann::json::parse(json_text(c))["rows"][0]["runs"][1]["status"], "damaged");
    EXPECT_EQ(report_groups(c)[0].runs.size(), 2u);
  }
}

TEST_F(ComparisonTest, RunsOnDifferentImagesAreRefused) {
  const ExperimentPlan p = plan();
  leave_all(p);
  leave(p.reported(1, 2)[0], 63, "finished", "other");
  EXPECT_THAT(message_of<DataError>([&] { compare_runs(p); }),
              HasSubstr("the run reported/Sign_um,_b_/learning_rate=0.4/seed-1 has images of cifar10 with the checksum "
                        "other, and the run tuning/SGD/learning_rate=0.1/seed-101 has abc"));
}

TEST_F(ComparisonTest, TextsOfATableMeanNothingToOtherPrograms) {
  std::string text = kText;
  const std::string name = "Sign|um, \\\"b\\\"", hostile = "=1+1 <b>x</b> `y` *z* [l](http://h) a|b";
  text.replace(text.find(name), name.size(), hostile);
  const ExperimentPlan p = plan(text);
  leave_all(p);
  const Comparison c = compare_runs(p);
  const std::string page = markdown_text(c, "signstep compare 'a`b'");
  EXPECT_THAT(page, HasSubstr("| =1+1 &lt;b&gt;x&lt;/b&gt; \\`y\\` \\*z\\* [l]\\(http://h) a\\|b |"));
  EXPECT_THAT(page, HasSubstr("`` signstep compare 'a`b' ``"));
  EXPECT_THAT(csv_text(c), HasSubstr("\n'=1+1 <b>x</b>"));
  EXPECT_THAT(csv_text(c), HasSubstr(",3,0,65,2,SGD,3,3,"));  // numbers stay numbers
}

}  // namespace
}  // namespace signstep
