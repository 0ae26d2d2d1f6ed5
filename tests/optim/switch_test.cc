// SPDX-License-Identifier: Apache-2.0
#include "signstep/optim/switch.h"

#include <limits>

#include "tests/optim/switch_fixtures.h"

namespace signstep {
namespace {

using testing::HasSubstr;
// Steps until an event or the end of the ratios, an estimate of 0 standing for none. Returns the event.
std::optional<SwitchEvent> run(const SwitchPlan& plan, SwitchState& state, const std::vector<double>& ratios) {
  for (const double r : ratios) {
    const Sums sums{r > 0 ? of_ratio(r) : kNoEstimate};
    if (auto event = switch_step(plan, state, 1e-3, sums).event) return event;
  }
  return std::nullopt;
}

TEST(Switch, AtAStatedStepTakesEffectWithTheNext) {
  const SwitchPlan plan = plan_of(at_step(5));
  SwitchState state = make_switch_state(plan, 1);
  for (int t = 1; t <= 4; ++t) EXPECT_FALSE(switch_step(plan, state, 0.01, Sums{of_ratio(2)}).event);
  EXPECT_EQ(phase_rates(plan, state, 0.01).phase, SwitchPhase::kSign);
  const auto event = switch_step(plan, state, 0.01, Sums{of_ratio(2)}).event;
  ASSERT_TRUE(event);
  EXPECT_EQ(event->reason, SwitchReason::kStep);
  EXPECT_EQ(event->step, 5u);
  EXPECT_NEAR(event->lambda, 2, 1e-12);
  EXPECT_NEAR(event->sgd_rate, 0.02, 1e-14);
  EXPECT_NEAR(event->heavy_ball_rate, 0.002, 1e-14);
  EXPECT_THAT(event->text(),
              HasSubstr("after step 5 (the stated step): Lambda 2, rate 0.02, as PyTorch's heavy ball 0.002"));
  const PhaseRates next = phase_rates(plan, state, 0.005);
  EXPECT_EQ(next.phase, SwitchPhase::kSgd);
  EXPECT_EQ(next.alpha, 0);
  EXPECT_NEAR(next.sgd_rate(0), 0.01, 1e-14) << "Lambda times the schedule's rate, which goes on";
  EXPECT_FALSE(switch_step(plan, state, 0.01, {}).event) << "once";
}

TEST(Switch, BlendWeightsFallFromOneMinusOneOverWToZero) {
  const SwitchPlan plan = plan_of(at_step(1, 4));
  SwitchState state = make_switch_state(plan, 1);
  switch_step(plan, state, 0.01, Sums{of_ratio(2)});
  for (const double alpha : {0.75, 0.5, 0.25, 0.0}) {
    const PhaseRates rates = phase_rates(plan, state, 0.01);
    EXPECT_EQ(rates.phase, SwitchPhase::kBlend);
    EXPECT_EQ(rates.alpha, alpha);
    EXPECT_EQ(rates.sign_lr, 0.01);
    EXPECT_NEAR(rates.sgd_rate(0), 0.02, 1e-14);
    switch_step(plan, state, 0.01, {});
  }
  EXPECT_EQ(phase_rates(plan, state, 0.01).phase, SwitchPhase::kSgd);
  EXPECT_EQ(phase_rates(plan, state, 0.01).alpha, 0);
}

TEST(Switch, KernelRatesAddUpToTheBlend) {
  const SwitchPlan plan = plan_of(at_step(1, 4));
  SwitchState state = make_switch_state(plan, 1);
  EXPECT_EQ(phase_rates(plan, state, 0.01).blended_sign_lr(), 0.01);
  EXPECT_EQ(phase_rates(plan, state, 0.01).blended_sgd_rate(0), 0) << "no SGD before the switch";
  switch_step(plan, state, 0.01, Sums{of_ratio(2)});
  const PhaseRates rates = phase_rates(plan, state, 0.01);
  EXPECT_NEAR(rates.blended_sign_lr(), 0.0075, 1e-14);
  EXPECT_NEAR(rates.blended_sgd_rate(0), 0.005, 1e-14);
}

TEST(Switch, NeverNeedsNothingAndDoesNothing) {
  const SwitchPlan plan = plan_of({});
  SwitchState state = make_switch_state(plan, 3);
  EXPECT_FALSE(wants_sums(plan, state));
  for (int t = 0; t < 10; ++t) EXPECT_FALSE(switch_step(plan, state, 0.1, {}).event);
  EXPECT_EQ(phase_rates(plan, state, 0.1).alpha, 1);
  EXPECT_EQ(phase_rates(plan, state, 0.1).sign_lr, 0.1);
}

TEST(Switch, FiresWhenEstimatesStayNearTheirAverage) {
  const SwitchPlan plan = plan_of(auto_swats(3));
  SwitchState state = make_switch_state(plan, 1);
  const auto event = run(plan, state, {2, 2, 2, 2, 2});
  ASSERT_TRUE(event);
  EXPECT_EQ(event->reason, SwitchReason::kSettled);
  EXPECT_EQ(event->step, 4u) << "the first estimate is its own average and proves nothing";
}

TEST(Switch, AnAbsoluteToleranceWouldFireByAccidentOrNever) {
  // Tiny ratios that jump by half: nearer than 1e-5 to their average at step 2, but not settled.
  const SwitchPlan plan = plan_of(auto_swats(1));
  SwitchState tiny = make_switch_state(plan, 1);
  EXPECT_FALSE(run(plan, tiny, {1e-6, 3e-6, 1e-6, 3e-6, 1e-6, 3e-6}));
  // Huge ones that agree to 1 %, yet differ by thousands.
  SwitchPlan as_sign = plan;
  as_sign.options.switch_decay = SwitchDecay::kSign;  // SGD's own would be refused
  SwitchState huge = make_switch_state(as_sign, 1);
  const auto event = run(as_sign, huge, {1e6, 1.01e6, 1e6});
  ASSERT_TRUE(event);
  EXPECT_EQ(event->reason, SwitchReason::kSettled);
}

TEST(Switch, AStepWithoutAnEstimateStartsTheCountAgain) {
  const SwitchPlan plan = plan_of(auto_swats(3));
  SwitchState state = make_switch_state(plan, 1);
  const auto event = run(plan, state, {2, 2, 2, 0, 2, 2, 2, 2});
  ASSERT_TRUE(event);
  EXPECT_EQ(event->step, 7u);
  EXPECT_EQ(state.estimates[0], 6u) << "the empty step is no estimate";
  SwitchState stray = make_switch_state(plan, 1);
  EXPECT_FALSE(run(plan, stray, {2, 2, 2, 4, 2, 2})) << "so does one out of tolerance";
}

TEST(Switch, AnUnmeasuredStepLeavesTheCountAlone) {
  const SwitchPlan plan = plan_of(auto_swats(2));
  SwitchState state = make_switch_state(plan, 1);
  EXPECT_FALSE(run(plan, state, {2, 2}));
  EXPECT_FALSE(switch_step(plan, state, 1e-3, {}).event);
  EXPECT_EQ(state.settled[0], 1u);
  EXPECT_TRUE(run(plan, state, {2}));
}

TEST(Switch, NotBeforeItsEarliestStep) {
  SwitchOptions o = auto_swats(2);
  o.switch_min_steps = 20;
  const SwitchPlan plan = plan_of(o, 100);
  SwitchState state = make_switch_state(plan, 1);
  const auto event = run(plan, state, std::vector<double>(50, 2.0));
  ASSERT_TRUE(event);
  EXPECT_EQ(event->step, 20u);
}

TEST(Switch, ForcedAtTheFallback) {
  const SwitchPlan plan = plan_of(auto_swats(1000), 100);
  SwitchState state = make_switch_state(plan, 1);
  const auto event = run(plan, state, std::vector<double>(100, 2.0));
  ASSERT_TRUE(event);
  EXPECT_EQ(event->reason, SwitchReason::kFallback);
  EXPECT_EQ(event->step, 90u);
  EXPECT_THAT(event->text(), HasSubstr("did not settle"));
}

// A young average is too short by 1 - b^k, and every projection is inverse to it.
TEST(Switch, EstimatesAreAgainstAWarmAverage) {
  for (const SwitchProjection projection :
       {SwitchProjection::kSwats, SwitchProjection::kInner, SwitchProjection::kNorm}) {
    SwitchOptions o = at_step(3);
    o.switch_projection = projection;
    const SwitchPlan plan = plan_of(o);
    SwitchState state = make_switch_state(plan, 1);
    double m = 0;
    for (int k = 1; k <= 3; ++k) {  // gradients of 2 in all of 100 coordinates
      m = 0.9 * m + 0.1 * 2;
      const Sums sums{{.finite = 100, .nonzero = 100, .s_dot_v = 100 * m, .v_dot_v = 100 * m * m}};
      const SwitchReport report = switch_step(plan, state, 1e-3, sums, {.warmth = 1 - std::pow(0.9, k)});
      EXPECT_NEAR(*report.gamma, 1e-3 / 2, 1e-15) << k;
    }
  }
}

TEST(Switch, ADecayingScheduleDoesNotEnterTheAverage) {
  const SwitchPlan plan = plan_of(auto_swats(1000));
  SwitchState constant = make_switch_state(plan, 1), decaying = make_switch_state(plan, 1);
  for (int t = 0; t < 200; ++t) {
    const Sums sums{of_ratio(2 + std::sin(t))};
    const double lr = 1e-2 * std::exp(-0.05 * t);
    const SwitchReport a = switch_step(plan, constant, 1e-2, sums), b = switch_step(plan, decaying, lr, sums);
    EXPECT_EQ(*a.lambda, *b.lambda);
    EXPECT_EQ(*b.sgd_rate, *b.lambda * lr);
    EXPECT_DOUBLE_EQ(*b.gamma, (2 + std::sin(t)) * lr);
  }
}

TEST(SwitchByTensor, OneTensorDoesNotFlipTheGroup) {
  const SwitchPlan plan = plan_of(by_tensor(auto_swats(3)), 100);
  SwitchState state = make_switch_state(plan, 2);
  for (int t = 1; t < 90; ++t)
    EXPECT_FALSE(switch_step(plan, state, 1e-3, Sums{of_ratio(2, 499), of_ratio(t % 2 ? 1 : 9, 501)}).event) << t;
  EXPECT_EQ(state.settled[1], 88u);
  EXPECT_EQ(switch_step(plan, state, 1e-3, Sums{of_ratio(2, 499), of_ratio(9, 501)}).event->reason,
            SwitchReason::kFallback);
}

TEST(SwitchByTensor, HalfOfTheParametersDecideForAllAndEachTakesItsOwnRate) {
  const SwitchPlan plan = plan_of(by_tensor(auto_swats(3)), 100);
  SwitchState state = make_switch_state(plan, 3);
  std::optional<SwitchEvent> event;
  int t = 0;
  while (!event && ++t < 50)
    event =
        switch_step(plan, state, 1e-3, Sums{of_ratio(2, 300), of_ratio(t % 2 ? 1 : 9, 500), of_ratio(5, 200)}).event;
  ASSERT_TRUE(event);
  EXPECT_EQ(event->reason, SwitchReason::kSettled);
  EXPECT_EQ(event->step, 4u);
  ASSERT_EQ(event->rates.size(), 3u);
  const PhaseRates rates = phase_rates(plan, state, 0.1);
  EXPECT_NEAR(rates.sgd_rate(0), 0.2, 1e-12);
  EXPECT_NEAR(rates.sgd_rate(2), 0.5, 1e-12);
  EXPECT_TRUE(rates.sgd_rate(1) > 0.1 && rates.sgd_rate(1) < 0.9);
}

TEST(Switch, SaysWhenItNeedsSumsAndATrackedAverage) {
  SwitchOptions o = at_step(50, 2);
  o.switch_calibrate_from = 0.2;
  const SwitchPlan plan = plan_of(o, 100, SignKind::kSignSgd);
  SwitchState state = make_switch_state(plan, 1);
  for (uint64_t t = 0; t < 60; ++t) {
    EXPECT_EQ(tracks_average(plan, state), t >= 20) << t;
    EXPECT_EQ(wants_sums(plan, state), t >= 20 && t < 50) << t;
    switch_step(plan, state, 1e-3, wants_sums(plan, state) ? Sums{of_ratio(2)} : Sums{});
  }
  o.switch_direction = SwitchDirection::kGradient;
  const SwitchPlan gradient = plan_of(o, 100, SignKind::kSignSgd);
  EXPECT_TRUE(wants_sums(gradient, make_switch_state(gradient, 1))) << "only the momentum direction waits for d";
}

}  // namespace
}  // namespace signstep
