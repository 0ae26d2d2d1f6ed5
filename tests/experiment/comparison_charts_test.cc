// SPDX-License-Identifier: Apache-2.0
#include "signstep/experiment/comparison_charts.h"

#include "signstep/experiment/comparison_table.h"
#include "tests/experiment/made_up_comparison.h"

namespace signstep {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class ComparisonCharts : public ComparisonTest {
 protected:
  // The chart of that file; an empty one where it was left out.
  static Chart chart(const Comparison& c, const std::string& file) {
    for (const NamedChart& named : comparison_charts(c))
      if (named.file == file) return named.chart;
    return {};
  }
};

TEST_F(ComparisonCharts, EverySeedItsMeanAndItsInterval) {
  const ExperimentPlan p = plan();
  leave_all(p);
  const Comparison c = compare_runs(p);
  const Chart seeds = chart(c, "seeds");
  EXPECT_THAT(seeds.x_names, ElementsAre("SGD", "Sign|um, \"b\""));
  ASSERT_EQ(seeds.series.size(), 2u);
  EXPECT_THAT(seeds.series[0].y, ElementsAre(61, 62, 63, 63, 65, 67));
  EXPECT_THAT(seeds.series[1].y, ElementsAre(62, 65));
  EXPECT_NEAR(seeds.series[1].high[0], 62 + 4.302652729749 / std::sqrt(3.0), 1e-9);  // t(0.975, 2)

  const Chart differences = chart(c, "differences");
  EXPECT_THAT(differences.x_names, ElementsAre("Sign|um, \"b\""));
  EXPECT_THAT(differences.series[0].y, ElementsAre(3));
  EXPECT_EQ(differences.levels[0].y, 0);
}

TEST_F(ComparisonCharts, SensitivityMarksTheChosenValueAndTheEdge) {
  const ExperimentPlan p = plan();
  leave_all(p);
  const Chart rates = chart(compare_runs(p), "sensitivity-learning_rate");
  EXPECT_EQ(rates.x_label, "learning rate");
  EXPECT_TRUE(rates.log_x);
  ASSERT_EQ(rates.series.size(), 4u);
  EXPECT_THAT(rates.series[0].x, ElementsAre(0.1, 0.2, 0.4));
  EXPECT_DOUBLE_EQ(rates.series[0].y[1], 80.05);
  EXPECT_EQ(rates.series[2].of, "SGD");
  EXPECT_EQ(rates.series[2].color, rates.series[0].color);
  EXPECT_EQ(rates.series[2].style, SeriesStyle::kRings);
  EXPECT_THAT(rates.series[2].x, ElementsAre(0.2));
  EXPECT_EQ(rates.series[3].of, rates.series[1].name);
  EXPECT_EQ(rates.series[3].style, SeriesStyle::kSquares) << "at its list's end";
  EXPECT_THAT(rates.series[3].x, ElementsAre(0.4));
}

// Two methods that chose the same value have two rings.
TEST_F(ComparisonCharts, EachMethodHasItsRing) {
  const ExperimentPlan p = plan();
  for (const PlannedRun& run : p.tuning) leave(run, run.trial == 1 ? 80 + static_cast<double>(run.row) : 70);
  const Chart rates = chart(compare_runs(p), "sensitivity-learning_rate");
  ASSERT_EQ(rates.series.size(), 4u);
  EXPECT_THAT(rates.series[2].y, ElementsAre(80));
  EXPECT_THAT(rates.series[3].y, ElementsAre(81));
}

TEST_F(ComparisonCharts, SaysOfHowManySeedsABarIs) {
  const ExperimentPlan p = plan();
  leave_all(p);
  leave(p.reported(1, 2)[0], 10, "diverged");
  EXPECT_THAT(chart(compare_runs(p), "seeds").x_names, ElementsAre("SGD", "Sign|um, \"b\" (2 of 3 seeds)"));
}

TEST_F(ComparisonCharts, OfSeveralTunedOptionsTheBestOfTheOthers) {
  const ExperimentPlan p = plan(
      "seeds = [1]\ntuning_seeds = [101]\n[train]\nepochs = 1\n[tune]\nlearning_rate = [0.1, 0.2]\nl2_penalty = [0.0, "
      "0.5]\n"
      "[[method]]\nname = \"SGD\"\noptimizer = \"sgd\"\n");
  for (const PlannedRun& run : p.tuning)
    leave(run, 70.0 + static_cast<double>(run.trial));  // options in alphabetical order, the last fastest
  const Comparison c = compare_runs(p);
  const Chart rates = chart(c, "sensitivity-learning_rate"), penalties = chart(c, "sensitivity-l2_penalty");
  ASSERT_FALSE(rates.series.empty());
  ASSERT_FALSE(penalties.series.empty());
  EXPECT_THAT(rates.series[0].y, ElementsAre(72, 73));
  EXPECT_THAT(penalties.series[0].y, ElementsAre(71, 73));
  EXPECT_FALSE(penalties.log_x);                     // 0 has no logarithm
  EXPECT_THAT(chart(c, "seeds").series, IsEmpty());  // nothing reported yet
}

TEST_F(ComparisonCharts, TwoSeedsGiveNoInterval) {
  std::string text = kText;
  text.replace(text.find("[1, 2, 3]"), 9, "[1, 2]");
  const ExperimentPlan p = plan(text);
  leave_all(p);
  const Comparison c = compare_runs(p);
  EXPECT_TRUE(std::isnan(chart(c, "seeds").series[1].low[0]));
  EXPECT_THAT(chart(c, "differences").series, IsEmpty());
  EXPECT_THAT(terminal_text(c), HasSubstr("+2.50 (too few seeds)"));
  EXPECT_THAT(terminal_text(c), Not(HasSubstr("p (Holm)")));
}

TEST_F(ComparisonCharts, TimesTakenBesideOtherRunsAreMarked) {
  const ExperimentPlan p = plan();
  leave_tuning(p);
  const auto times = [](const char* from, const char* until) {
    return nlohmann::ordered_json{{"started", from}, {"ended", until}, {"machine", {{"cpu", "a processor"}}}};
  };
  const std::vector<PlannedRun> sgd = p.reported(0, 1), other = p.reported(1, 2);
  leave(sgd[0], 60, "finished", "abc", times("2026-01-01T00:00:00Z", "2026-01-01T01:00:00Z"));
  leave(sgd[1], 61, "finished", "abc", times("2026-01-01T01:00:00Z", "2026-01-01T02:00:00Z"));
  for (const PlannedRun& run : other)
    leave(run, 62, "finished", "abc", times("2026-01-02T00:00:00Z", "2026-01-02T01:00:00Z"));
  const Comparison c = compare_runs(p);
  EXPECT_FALSE(c.rows[0].shared_machine) << "one after the other";
  EXPECT_TRUE(c.rows[1].shared_machine);
  EXPECT_THAT(terminal_text(c), HasSubstr("1.0 min *"));
  EXPECT_THAT(terminal_text(c), HasSubstr("* Taken while other runs"));
  leave(p.tuning.back(), 70, "finished", "abc", times("2026-01-01T01:30:00Z", "2026-01-01T01:31:00Z"));
  EXPECT_TRUE(compare_runs(p).rows[0].shared_machine) << "a tuning run beside it";
}

}  // namespace
}  // namespace signstep
