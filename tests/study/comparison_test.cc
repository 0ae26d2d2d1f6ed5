// SPDX-License-Identifier: Apache-2.0
#include "signstep/study/comparison.h"

#include <gmock/gmock.h>

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "signstep/core/error.h"
#include "signstep/io/atomic_file.h"
#include "signstep/io/config.h"
#include "signstep/io/folder_lock.h"
#include "signstep/io/json_lines.h"
#include "signstep/report/run_group.h"
#include "signstep/study/compare.h"
#include "signstep/study/comparison_files.h"
#include "signstep/study/comparison_table.h"
#include "tests/support/message_of.h"
#include "tests/support/temporary_folder.h"

namespace signstep {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kText = R"(
seeds = [1, 2, 3]
tuning_seeds = [101, 102]
[train]
width = 4
epochs = 1
[tune]
learning_rate = [0.1, 0.2, 0.4]
[[method]]
name = "SGD"
optimizer = "sgd"
paper = 91.38
[[method]]
name = "Sign|um, \"b\""
optimizer = "signum"
[paper]
source = "somewhere"
differences = ["other seeds"]
)";

// Run folders as the trainer leaves them, with accuracies of our choice.
void leave(const PlannedRun& run, double accuracy, const std::string& status = "finished") {
  std::filesystem::create_directories(run.folder);
  TrainOptions options = run.options;
  options.engine.kind = EngineKind::kTorch;
  options.engine.torch.precision = Precision::kFp32;
  write_file_atomic(run.folder + "/config.toml", to_toml(option_list(options), "test"));
  const nlohmann::ordered_json record = {
      {"status", status}, {"optimizer", "SGD"}, {"data", {{"dataset", "cifar10"}, {"sha256", "abc"}}}};
  write_file_atomic(run.folder + "/run.json", record.dump());
  write_json_lines(run.folder + "/metrics.jsonl",
                   {{{"epoch", 1},
                     {"step", 10},
                     {"validation_accuracy", run.tuning ? nlohmann::ordered_json(accuracy) : nlohmann::ordered_json()},
                     {"test_accuracy", run.tuning ? 99.0 : accuracy},
                     {"train_loss", 1.0},
                     {"train_seconds", 60.0}}});
}

class ComparisonTest : public testing::Test {
 protected:
  ExperimentPlan plan(const std::string& text = kText) {
    return make_plan(parse_experiment(text, "e.toml"), folder_.path("out"));
  }
  // Trial 1 of SGD and trial 2 of the other are best; trial 0 of both diverged once.
  void leave_tuning(const ExperimentPlan& p) {
    for (const PlannedRun& run : p.tuning) {
      const bool diverged = run.trial == 0 && run.seed == 101;
      leave(run, (run.trial == (run.row == 0 ? 1 : 2) ? 80.0 : 70.0) + 0.1 * static_cast<double>(run.seed - 101),
            diverged ? "diverged" : "finished");
    }
  }
  TemporaryFolder folder_;
};

TEST_F(ComparisonTest, ChoosesOnValidationAndReportsOnTest) {
  const ExperimentPlan p = plan();
  leave_tuning(p);
  for (const PlannedRun& run : p.reported(0, 1)) leave(run, 60.0 + static_cast<double>(run.seed));
  for (const PlannedRun& run : p.reported(1, 2)) leave(run, 61.0 + 2 * static_cast<double>(run.seed));
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
  EXPECT_THAT(
      csv_text(c),
      HasSubstr(
          "\n\"Sign|um, \"\"b\"\"\",learning_rate 0.4,learning_rate 0.4 is the highest of its grid,3,0,65,2,SGD,3,3,"));
  const auto json = nlohmann::json::parse(json_text(c));
  EXPECT_EQ(json["rows"][0]["trials"][1]["validation_accuracy"], 80.05);
  EXPECT_EQ(json["rows"][1]["runs"].size(), 3u);
  EXPECT_EQ(report_groups(c).size(), 2u);
}

TEST_F(ComparisonTest, NothingIsChosenBeforeEveryTrialIsDone) {
  const ExperimentPlan p = plan();
  leave_tuning(p);
  std::filesystem::remove_all(p.tuning[2].folder);
  const Comparison c = compare_runs(p);
  EXPECT_FALSE(c.rows[0].chosen);
  EXPECT_TRUE(c.rows[1].chosen);
  EXPECT_FALSE(c.complete());
  EXPECT_THAT(terminal_text(c), HasSubstr("Incomplete: 11 of 18 runs are done."));
  EXPECT_THAT(terminal_text(c), HasSubstr("not yet"));
}

TEST_F(ComparisonTest, DivergedRunsAreSaidAndLeftOutOfTheMean) {
  const ExperimentPlan p = plan();
  leave_tuning(p);
  for (const PlannedRun& run : p.reported(0, 1)) leave(run, 60, run.seed == 2 ? "diverged" : "finished");
  const Comparison c = compare_runs(p);
  EXPECT_EQ(c.rows[0].accuracy.n, 2u);
  EXPECT_THAT(terminal_text(c), HasSubstr("2 of 3 (1 diverged)"));
}

TEST(GridEdges, OfNumbersThatCouldGoFurther) {
  const std::vector<GridAxis> axes = {{"learning_rate", {"0.1", "1e-3", "0.01"}},
                                      {"l2_penalty", {"0", "5e-4"}},
                                      {"dither_on", {"update", "post"}},
                                      {"batch", {"8"}}};
  const auto edges = [&](const char* rate, const char* penalty) {
    return grid_edges(axes, {{"learning_rate", rate}, {"l2_penalty", penalty}, {"dither_on", "post"}, {"batch", "8"}})
        .size();
  };
  EXPECT_EQ(edges("0.01", "0"), 0u);  // a penalty below 0 does not exist
  EXPECT_EQ(edges("0.1", "0"), 1u);
  EXPECT_EQ(edges("1e-3", "5e-4"), 2u);
}

TEST_F(ComparisonTest, FoldersOfSomethingElseAreRefused) {
  const auto refusal = [&](const ExperimentPlan& p) { return message_of<OptionError>([&] { claim_output(p); }); };
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

TEST_F(ComparisonTest, StateOfAFolder) {
  const ExperimentPlan p = plan();
  const PlannedRun& run = p.tuning.front();
  EXPECT_EQ(run_state(run).status, RunStatus::kAbsent);
  leave(run, 50, "running");  // killed
  EXPECT_EQ(run_state(run).status, RunStatus::kPartial);
  EXPECT_EQ(run_state(run).epochs, 1u);
  leave(run, 50);
  EXPECT_EQ(run_state(run).status, RunStatus::kFinished);
  std::filesystem::remove(run.folder + "/metrics.jsonl");  // finished needs its epochs
  EXPECT_EQ(run_state(run).status, RunStatus::kPartial);
  EXPECT_FALSE(folder_in_use(run.folder));
  const FolderLock lock(run.folder);
  EXPECT_TRUE(folder_in_use(run.folder));
}

// report knows no training options, so its list is its own.
TEST(RunOptions, WhatAResumedRunMayChangeMakesNoOtherCurve) {
  TrainOptions options;
  size_t seen = 0;
  const OptionList list = option_list(options);
  for (const Option& option : list.options()) {
    if (!may_change_on_resume(option.name)) continue;
    EXPECT_TRUE(is_repetition_option(option.name)) << option.name;
    ++seen;
  }
  EXPECT_EQ(seen, 5u);
}

}  // namespace
}  // namespace signstep
