// SPDX-License-Identifier: Apache-2.0
#include "signstep/optim/schedule.h"

#include "tests/optim/fixtures.h"

namespace signstep {
namespace {

using testing::HasSubstr;

TEST(Schedule, ConstantIsOneAfterWarmup) {
  const Schedule schedule({.schedule = ScheduleKind::kConstant, .warmup = 0.1}, 40);  // four warm-up steps
  for (uint64_t t = 0; t < 4; ++t) EXPECT_DOUBLE_EQ(schedule.factor(t), static_cast<double>(t + 1) / 5);
  for (uint64_t t = 4; t < 60; ++t) EXPECT_EQ(schedule.factor(t), 1.0);
}

TEST(Schedule, CosineFallsFromOneTowardsItsFinalFactor) {
  const Schedule schedule({.schedule = ScheduleKind::kCosine, .final_factor = 0.2}, 1000);
  EXPECT_EQ(schedule.factor(0), 1.0);
  EXPECT_DOUBLE_EQ(schedule.factor(500), 0.6);
  EXPECT_NEAR(schedule.factor(999), 0.2, 1e-5);
  for (uint64_t t = 1; t < 1000; ++t) EXPECT_LT(schedule.factor(t), schedule.factor(t - 1));
}

// Warm-up to 1 in a fifth of the run, then straight down: a triangle.
TEST(Schedule, LinearIsATriangle) {
  const Schedule schedule({.schedule = ScheduleKind::kLinear, .warmup = 0.2, .final_factor = 0.5}, 20);
  for (uint64_t t = 0; t < 4; ++t) EXPECT_DOUBLE_EQ(schedule.factor(t), static_cast<double>(t + 1) / 5);
  EXPECT_EQ(schedule.factor(4), 1.0);
  EXPECT_EQ(schedule.factor(8), 0.875);
  EXPECT_EQ(schedule.factor(12), 0.75);
  EXPECT_EQ(schedule.factor(19), 1 - 0.5 * 15 / 16);
  EXPECT_EQ(Schedule({.schedule = ScheduleKind::kLinear}, 4).factor(3), 0.25) << "the step after the last is at 0";
}

TEST(Schedule, StepMultipliesAtEachMilestone) {
  const Schedule schedule({.schedule = ScheduleKind::kStep, .milestones = {0.5, 0.75}, .step_factor = 0.1}, 100);
  EXPECT_EQ(schedule.factor(0), 1.0);
  EXPECT_EQ(schedule.factor(49), 1.0);
  EXPECT_DOUBLE_EQ(schedule.factor(50), 0.1);
  EXPECT_DOUBLE_EQ(schedule.factor(74), 0.1);
  EXPECT_DOUBLE_EQ(schedule.factor(75), 0.01);
  EXPECT_DOUBLE_EQ(schedule.factor(99), 0.01);
}

TEST(Schedule, OneCycleRisesThenFalls) {
  const Schedule schedule({.schedule = ScheduleKind::kOneCycle}, 1000);
  EXPECT_NEAR(schedule.factor(0), 1.0 / 25, 1e-12);
  EXPECT_DOUBLE_EQ(schedule.factor(300), 1.0);
  EXPECT_NEAR(schedule.factor(999), 1e-4 / 25, 1e-5);
}

TEST(Schedule, LaterStepsKeepTheLastFactor) {
  for (const ScheduleKind kind : {ScheduleKind::kConstant, ScheduleKind::kStep, ScheduleKind::kCosine,
                                  ScheduleKind::kOneCycle, ScheduleKind::kLinear}) {
    const Schedule schedule({.schedule = kind}, 10);
    EXPECT_EQ(schedule.factor(10), schedule.factor(9));
    EXPECT_EQ(schedule.factor(UINT64_MAX), schedule.factor(9));
  }
}

TEST(Schedule, EveryFactorOfShortRunsIsAFactor) {
  for (const ScheduleKind kind : {ScheduleKind::kConstant, ScheduleKind::kStep, ScheduleKind::kCosine,
                                  ScheduleKind::kOneCycle, ScheduleKind::kLinear})
    for (uint64_t total = 0; total < 6; ++total)
      for (const double warmup : {0.0, 0.3, 0.99})
        for (uint64_t t = 0; t < 8; ++t) {
          const double f = Schedule({.schedule = kind, .warmup = warmup}, total).factor(t);
          EXPECT_TRUE(f >= 0 && f <= 1) << total << " " << warmup << " " << t << ": " << f;
        }
}

TEST(Schedule, RefusesUnusableMilestones) {
  ScheduleOptions options;
  OptionList list;
  describe(list, options);
  for (const char* bad : {"1", "0", "0.5,0.5", "0.7,0.2", "a", "0.2;0.3", "nan"})
    EXPECT_THAT(option_error([&] { list.set("milestones", bad); }), HasSubstr("rising shares of the run")) << bad;
  for (const char* bad : {",", "0.5,,", ",0.5", "0.25,,0.5"})
    EXPECT_THAT(option_error([&] { list.set("milestones", bad); }), HasSubstr("rising shares of the run")) << bad;
  list.set("milestones", "0.25,");  // a record of release 0.1 may say so
  EXPECT_THAT(options.milestones, testing::ElementsAre(0.25));
  list.set("milestones", "0.25, 0.5");
  EXPECT_THAT(options.milestones, testing::ElementsAre(0.25, 0.5));
  EXPECT_EQ(list.find("milestones")->text(), "0.25,0.5");
  const std::vector<double> unusable[] = {{1}, {0}, {0.5, 0.5}, {0.7, 0.2}, {NAN}};
  for (const auto& bad : unusable)
    EXPECT_THAT(option_error([&] { Schedule({.milestones = bad}, 10); }), HasSubstr("rising shares of the run"));
  EXPECT_EQ(option_error([] { Schedule({.milestones = {}}, 10); }), "no error");
}

TEST(Schedule, OptionsStateTheirRange) {
  ScheduleOptions options;
  OptionList list;
  describe(list, options);
  EXPECT_THAT(option_error([&] { list.set("warmup", "1"); }), HasSubstr("in [0, 1)"));
  EXPECT_THAT(option_error([&] { list.set("step_factor", "0"); }), HasSubstr("in (0, 1]"));
  for (const double bad : {-0.5, 1.0, static_cast<double>(NAN), static_cast<double>(INFINITY)})
    EXPECT_THAT(option_error([&] { Schedule({.warmup = bad}, 10); }), HasSubstr("in [0, 1)")) << bad;
  EXPECT_THAT(option_error([] { Schedule({.final_factor = 2}, 10); }), HasSubstr("in [0, 1]"));
  EXPECT_THAT(option_error([] { Schedule({.step_factor = 0}, 10); }), HasSubstr("in (0, 1]"));
  EXPECT_THAT(option_error([] { Schedule({.schedule = static_cast<ScheduleKind>(9)}, 10); }),
              HasSubstr("schedule is 'enumerator 9'; wanted one of constant, step"));
}

}  // namespace
}  // namespace signstep
