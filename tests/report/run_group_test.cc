// SPDX-License-Identifier: Apache-2.0
// What a group of runs is called, and which means and curves it has.
#include "signstep/report/run_group.h"

#include <gmock/gmock.h>

#include <cmath>

#include "signstep/report/report_tables.h"
#include "signstep/report/run_charts.h"
#include "tests/report/report_fixture.h"

namespace signstep {
namespace {

using testing::ElementsAre;

using RunGroupTest = ReportTest;

TEST_F(RunGroupTest, RunsThatDifferBySeedAloneShareACurve) {
  const auto groups = three_groups();
  ASSERT_EQ(groups.size(), 3u);
  EXPECT_EQ(groups[0].name, "Signum");
  EXPECT_EQ(groups[1].name, "dithered Signum-to-SGD switch");
  EXPECT_EQ(groups[2].name, "SGD");
  const GroupCurve curve = epoch_curve(groups[0], &EpochRecord::test_accuracy);
  EXPECT_THAT(curve.x, ElementsAre(1, 2, 3));
  EXPECT_THAT(curve.mean, ElementsAre(62, 72, 82));  // of seeds 1 and 3
  EXPECT_DOUBLE_EQ(curve.high[0], 62 + std::sqrt(2.0));
  EXPECT_THAT(time_curve(groups[0], &EpochRecord::test_accuracy).x, ElementsAre(60, 120, 180));
  EXPECT_THAT(switch_epochs(groups[1]), ElementsAre(1.5));
  EXPECT_EQ(step_curve(groups[1], &StepCurve::gamma).x.size(), 30u);
  EXPECT_TRUE(std::isnan(step_curve(groups[1], &StepCurve::gamma).mean[15]));
  EXPECT_TRUE(std::isnan(step_curve(groups[1], &StepCurve::lambda).mean[9]));
  EXPECT_EQ(step_curve(groups[1], &StepCurve::lambda).mean[10], 500);
  EXPECT_EQ(step_curve(groups[2], &StepCurve::learning_rate).x.size(), 30u);
  EXPECT_TRUE(epoch_curve(groups[2], &EpochRecord::test_accuracy).low.empty());
}

TEST_F(RunGroupTest, GroupsOfOneNameAreNamedByWhatDiffers) {
  const auto groups = group_runs(
      {run("a", {.extra_config = "batch = 8\n"}), run("b", {.extra_config = "batch = 16\n"})}, made_up_options());
  ASSERT_EQ(groups.size(), 2u);
  EXPECT_EQ(groups[0].name, "Signum, batch 8");
  EXPECT_EQ(groups[1].name, "Signum, batch 16");
  const auto rows = differing_options(groups);
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_THAT(rows[0].values, ElementsAre("8", "16"));
}

TEST_F(RunGroupTest, TheFewestOptionsThatTellGroupsApartNameThem) {
  const auto group = [&](const char* name, const char* config) { return run(name, {.extra_config = config}); };
  const auto groups =
      group_runs({group("a", "switch_at = 0.3\nsgd_decay = 0.1\nnote = \"a long one that says nothing\"\n"),
                  group("b", "switch_at = 0.6\nsgd_decay = 0.2\nnote = \"another\"\n"),
                  group("c", "switch_at = 0.6\nsgd_decay = 0.2\nnote = \"another\"\nbatch = 8\n")},
                 made_up_options());
  ASSERT_EQ(groups.size(), 3u);
  EXPECT_EQ(groups[0].name, "Signum, batch -, sgd decay 0.1");
  EXPECT_EQ(groups[1].name, "Signum, batch -, sgd decay 0.2");
  EXPECT_EQ(groups[2].name, "Signum, batch 8, sgd decay 0.2");
}

// An epoch's ten means are the same numbers at ten steps; over a thousand epochs they are thinned.
TEST_F(RunGroupTest, LossByStepIsTheMeanOfWhatWasThinnedOut) {
  RunSummary long_run = run("a", {.epochs = 120});
  const RunGroup group = make_group("g", {long_run}, made_up_options());
  const GroupCurve means = step_curve(group, &StepCurve::accuracy, Thinning::kMeans);
  ASSERT_EQ(means.x.size(), 400u);  // 1,200 points in threes
  EXPECT_DOUBLE_EQ(means.x[0], 0.3);
  EXPECT_DOUBLE_EQ(means.mean[0], 2.0 * 2);
  EXPECT_DOUBLE_EQ(step_curve(group, &StepCurve::accuracy).mean[0], 2.0);
}

// A number of a method is of its finished runs: what `compare` says of the same ones.
TEST_F(RunGroupTest, RunsThatDivergedAreInNoMean) {
  const auto groups = group_runs(
      {run("a", {.seed = 1}), run("b", {.seed = 3}), run("c", {.seed = 20, .epochs = 1, .status = "diverged"}),
       run("d", {.seed = 30, .epochs = 2, .status = "stopped"})},
      made_up_options());
  const std::vector<std::string> row = accuracy_table(groups).rows.at(0);
  EXPECT_EQ(row[1], "2 of 4 (1 diverged) (1 stopped)");
  EXPECT_EQ(row[2], "3");
  EXPECT_EQ(row[3], "82.00 ± 1.41 %");
  EXPECT_DOUBLE_EQ(epoch_curve(groups[0], &EpochRecord::test_accuracy).mean[0], 60 + (1 + 3) / 2.0);
  EXPECT_THAT(time_curve(groups[0], &EpochRecord::test_accuracy).x, ElementsAre(60, 120, 180));
}

TEST_F(RunGroupTest, WithoutAFinishedRunTheLastEpochThatAllHave) {
  const auto groups = group_runs({run("a", {.seed = 1, .epochs = 3, .status = "stopped"}),
                                  run("b", {.seed = 3, .epochs = 2, .status = "running"})},
                                 made_up_options());
  const std::vector<std::string> row = accuracy_table(groups).rows.at(0);
  EXPECT_EQ(row[1], "2 (1 running) (1 stopped)");
  EXPECT_EQ(row[2], "2");
  EXPECT_EQ(row[3], "72.00 ± 1.41 %");
  EXPECT_THAT(time_curve(groups[0], &EpochRecord::test_accuracy).x, ElementsAre(60, 120)) << "as far as all have come";
  const auto gone = group_runs({run("c", {.epochs = 1, .status = "diverged"})}, made_up_options());
  EXPECT_EQ(accuracy_table(gone).rows.at(0)[1], "0 of 1 (1 diverged)");
  EXPECT_EQ(accuracy_table(gone).rows.at(0)[3], "-");
}

TEST_F(RunGroupTest, ManyMethodsTheBestAreDrawn) {
  std::vector<RunGroup> groups;
  for (int i = 0; i < 13; ++i) groups.push_back({fmt::format("m{}", i), {run(fmt::format("r{}", i), {.seed = i})}});
  const auto drawn = drawn_groups(groups);
  ASSERT_EQ(drawn.size(), kMostCurves);
  EXPECT_EQ(drawn.front().name, "m3");
  EXPECT_EQ(drawn.back().name, "m12");
  for (const NamedChart& c : run_charts(drawn)) EXPECT_THAT(chart_files(), testing::Contains(c.file));
}

TEST(MeanSd, LeavesOutWhatIsNotFinite) {
  const std::vector<double> values = {1, NAN, 3, 5};
  const MeanSd m = mean_sd(values);
  EXPECT_EQ(m.n, 3u);
  EXPECT_DOUBLE_EQ(m.mean, 3);
  EXPECT_DOUBLE_EQ(m.sd, 2);
  EXPECT_TRUE(std::isnan(mean_sd(std::vector<double>{4}).sd));
}

}  // namespace
}  // namespace signstep
