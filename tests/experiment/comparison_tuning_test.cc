// SPDX-License-Identifier: Apache-2.0
// Which trial a row chooses, and from how many.
#include <gmock/gmock.h>

#include <cmath>

#include "signstep/experiment/comparison.h"
#include "signstep/experiment/comparison_charts.h"
#include "signstep/experiment/comparison_files.h"
#include "signstep/experiment/comparison_table.h"
#include "signstep/experiment/output_folder.h"
#include "tests/experiment/made_up_comparison.h"

namespace signstep {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

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

TEST_F(ComparisonTest, OneTuningServesTheWholeGrid) {
  const ExperimentPlan p = plan(std::string("tune_once = true") + kText + "[grid]\nbatch = [8, 16]\n");
  ASSERT_EQ(p.rows.size(), 4u);
  EXPECT_EQ(p.tuning.size(), 12u);
  for (const PlannedRun& run : p.tuning) {
    EXPECT_LT(run.row, 2u);
    leave(run, run.trial == 1 ? 80 : 70);
  }
  const Comparison c = compare_runs(p);
  EXPECT_EQ(c.runs_done, 12u);
  EXPECT_EQ(c.runs_planned, 24u);
  for (const ComparisonRow& row : c.rows) EXPECT_EQ(settings_text(row.chosen_settings), "learning_rate 0.2");
  for (const PlannedRun& run : p.tuning) leave(run, run.trial == 2 ? 80 : 70);
  for (const ComparisonRow& row : compare_runs(p).rows) EXPECT_EQ(row.edges.size(), 1u) << row.name;
  EXPECT_THAT(terminal_text(c), HasSubstr("among 3 trials for each method at batch 8 and used at every other"));
  EXPECT_EQ(runs_there(p).size(), 12u);
}

// Rate 0.2 is best at the first momentum, and there momentum 0.9.
TEST_F(ComparisonTest, ACoordinateSearchNeedsOnlyTheTrialsOfItsWay) {
  std::string text = std::string("tuning_search = \"coordinate\"") + kText;
  const std::string rates = "learning_rate = [0.1, 0.2, 0.4]";
  text.replace(text.find(rates), rates.size(), rates + "\nmomentum = [0.5, 0.9]");
  const ExperimentPlan p = plan(text);
  EXPECT_EQ(p.trials_needed(), 4u);
  EXPECT_EQ(p.tuning_runs(), 16u);
  const auto leave_trials = [&](const std::string& momentum) {
    for (const PlannedRun& run : p.tuning) {
      const auto has = [&](const char* part) { return run.name.find(part) != std::string::npos; };
      if (has(momentum.c_str())) leave(run, (has("learning_rate 0.2") ? 60 : 50) + (has("momentum 0.9") ? 10 : 0));
    }
  };
  leave_trials("momentum 0.5");
  Comparison c = compare_runs(p);
  EXPECT_FALSE(c.rows[0].chosen);
  EXPECT_EQ(c.rows[0].trials.size(), 4u);  // the last is asked for and not there
  EXPECT_EQ(c.runs_done, 12u);
  EXPECT_EQ(c.runs_planned, 22u);

  leave_trials("momentum 0.9");  // two of three of no use to the search, as a grid would leave them
  c = compare_runs(p);
  EXPECT_EQ(settings_text(c.rows[0].chosen_settings), "learning_rate 0.2, momentum 0.9");
  EXPECT_THAT(c.rows[0].edges, ElementsAre("momentum 0.9 is the highest of its grid"));
  EXPECT_EQ(c.runs_done, 16u);
  for (const PlannedRun& run : p.reported(0, *c.rows[0].chosen)) leave(run, 60.0 + static_cast<double>(run.seed));
  for (const PlannedRun& run : p.reported(1, *c.rows[1].chosen)) leave(run, 62.0 + static_cast<double>(run.seed));
  c = compare_runs(p);
  EXPECT_TRUE(c.complete());
  EXPECT_THAT(terminal_text(c), HasSubstr("among 4 trials for each row, one option after the other, seeds 101, 102"));
  EXPECT_EQ(nlohmann::json::parse(json_text(c))["rows"][0]["trials"].size(), 4u);
  const HtmlTable trials = trials_table(c);
  ASSERT_EQ(trials.rows.size(), 8u);
  for (const auto& row : trials.rows)
    EXPECT_EQ(row.back(), row[1] == "learning_rate 0.2, momentum 0.9" ? "chosen" : "") << row[1];
  EXPECT_FALSE(comparison_charts(c).empty());
}

TEST_F(ComparisonTest, ARowWhoseTrialsAllDivergedSaysSo) {
  const ExperimentPlan p = plan();
  for (const PlannedRun& run : p.tuning) leave(run, 70, run.row == 0 ? "diverged" : "finished");
  const Comparison c = compare_runs(p);
  EXPECT_EQ(c.rows[0].chosen, 0u);
  EXPECT_THAT(terminal_text(c), HasSubstr("learning_rate 0.1 (diverged)"));
  EXPECT_THAT(terminal_text(c), HasSubstr("SGD: every tuning run diverged"));
  EXPECT_THAT(terminal_text(c), Not(HasSubstr("Sign|um, \"b\": every")));
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

TEST_F(ComparisonTest, ATrialWithoutAnAccuracyIsNeverChosen) {
  const ExperimentPlan p = plan();
  leave_all(p);
  const PlannedRun& run = p.tuning.front();
  for (const char* file : {"/metrics.jsonl", "/run.json"}) {
    std::string both = read_text_file(run.folder + file);
    const size_t at = both.find("\"validation_accuracy\":70.0");
    ASSERT_NE(at, std::string::npos);
    write_file_atomic(run.folder + file, both.replace(at, 26, "\"validation_accuracy\":null"));
  }
  // It diverged in the fixture; a finished one is what could win.
  std::string record = read_text_file(run.folder + "/run.json");
  const size_t at = record.find("diverged");
  ASSERT_NE(at, std::string::npos);
  write_file_atomic(run.folder + "/run.json", record.replace(at, 8, "finished"));
  const Comparison c = compare_runs(p);
  EXPECT_FALSE(c.rows[0].chosen);
  ASSERT_EQ(c.damaged.size(), 1u);
  EXPECT_THAT(c.damaged[0].state.problem, HasSubstr("validation_accuracy is null"));

  std::vector<TrialResult> results(3);
  for (TrialResult& trial : results) trial = {.settings = {}, .validation = {.mean = 40, .n = 2}, .done = 2};
  results[1].validation.mean = 50;
  EXPECT_EQ(search_row(p, 0, results).chosen, 1u);
  results[0].validation = {};  // done, and no accuracy
  EXPECT_FALSE(search_row(p, 0, results).chosen);
}

}  // namespace
}  // namespace signstep
