// SPDX-License-Identifier: Apache-2.0
// What keeps a switch from a rate that would harm.
#include <limits>

#include "signstep/optim/switch.h"
#include "tests/optim/switch_fixtures.h"

namespace signstep {
namespace {

using testing::HasSubstr;

TEST(Switch, NeverToAnUnusableRateAndSaysSoOnce) {
  for (const SwitchOptions& o : {at_step(3), auto_swats(1)}) {
    const SwitchPlan plan = plan_of(o, 10);
    SwitchState state = make_switch_state(plan, 1);
    int events = 0;
    for (int t = 0; t < 10; ++t)
      if (const auto event = switch_step(plan, state, 1e-3, Sums{kNoEstimate}).event) {
        ++events;
        EXPECT_EQ(event->reason, SwitchReason::kRefused);
        EXPECT_EQ(event->lambda, 0);
        EXPECT_THAT(event->text(), HasSubstr("the sign phase goes on"));
      }
    EXPECT_EQ(events, 1);
    EXPECT_EQ(phase_rates(plan, state, 1).phase, SwitchPhase::kSign);
    EXPECT_TRUE(wants_sums(plan, state));
    const auto late = switch_step(plan, state, 1e-3, Sums{of_ratio(2)}).event;
    ASSERT_TRUE(late) << "the first usable rate after the refusal";
    EXPECT_NE(late->reason, SwitchReason::kRefused);
    EXPECT_EQ(late->step, 11u);
  }
}

TEST(Switch, ARateBeyondFloatIsUnusable) {
  const SwitchPlan plan = plan_of(at_step(1));
  for (const double extreme : {1e60, 1e-60}) {
    SwitchState state = make_switch_state(plan, 1);
    EXPECT_EQ(switch_step(plan, state, 1e-3, Sums{of_ratio(extreme)}).event->reason, SwitchReason::kRefused);
  }
}

// Lambda is one over the gradients' scale: a loss times 1e-6 must not hand training over to the decay.
TEST(Switch, ARateAtWhichDecayWouldTrainIsRefused) {
  const SwitchPlan plan = plan_of(at_step(1));
  const double limit = kMostShrinkage / (1e-3 * plan.options.switch_penalty);
  using Rates = std::vector<double>;  // of tensors that decay; another's rate may be larger
  for (const auto& [ratio, decayed, refused] : {std::tuple(0.99 * limit, Rates{}, false),
                                                {1.01 * limit, Rates{}, true},
                                                {1.01 * limit, Rates{0}, false},
                                                {1.01 * limit, Rates{0, 1e-5}, false},
                                                {1.01 * limit, Rates{0, 1e-3}, true}}) {
    SwitchState state = make_switch_state(plan, 1);
    const auto event = switch_step(plan, state, 1e-3, Sums{of_ratio(ratio)}, {.decayed_lr = decayed}).event;
    ASSERT_TRUE(event);
    EXPECT_EQ(event->reason == SwitchReason::kRefused, refused) << ratio;
    EXPECT_EQ(event->text().find("would shrink the weights by 1.01 %") != std::string::npos, refused) << event->text();
  }
  SwitchPlan as_sign = plan;
  as_sign.options.switch_decay = SwitchDecay::kSign;
  SwitchState state = make_switch_state(as_sign, 1);
  EXPECT_NE(switch_step(as_sign, state, 1e-3, Sums{of_ratio(1e9)}).event->reason, SwitchReason::kRefused);
}

// Each tensor's weights are guarded by its own rate; one that would melt runs at the rate of all.
TEST(Switch, ATensorAtWhoseOwnRateDecayWouldTrainTakesTheGlobalOne) {
  SwitchOptions o = at_step(1);
  o.switch_scope = SwitchScope::kTensor;
  const SwitchPlan plan = plan_of(o);
  const double limit = kMostShrinkage / (1e-3 * plan.options.switch_penalty);
  const Sums sums{of_ratio(0.5 * limit), of_ratio(1.5 * limit), of_ratio(1.5 * limit)};
  SwitchState state = make_switch_state(plan, 3);
  const std::vector<double> decayed{1e-3, 1e-3, 0};
  const auto event = switch_step(plan, state, 1e-3, sums, {.decayed_lr = decayed}).event;
  ASSERT_TRUE(event);
  ASSERT_EQ(event->rates.size(), 3u);
  EXPECT_NEAR(event->rates[0], 0.5 * limit, 1e-9 * limit);
  EXPECT_EQ(event->rates[1], event->lambda);
  EXPECT_NEAR(event->rates[2], 1.5 * limit, 1e-9 * limit) << "it does not decay";
}

TEST(Switch, AStepOfNoLengthGivesNoEstimate) {
  const SwitchPlan plan = plan_of(auto_swats(1));
  for (const double lr : {0.0, -1.0, std::nan(""), std::numeric_limits<double>::infinity()}) {
    SwitchState state = make_switch_state(plan, 1);
    EXPECT_FALSE(switch_step(plan, state, lr, Sums{of_ratio(2)}).gamma);
    EXPECT_EQ(state.estimates[0], 0u);
  }
}

// Gradients 100, -1, -1, ...: the momentum still points the old way for many steps.
TEST(Switch, AReversalNeverLeadsToANonPositiveRate) {
  using enum SwitchProjection;
  for (const SwitchProjection projection : {kSwats, kInner, kNorm})
    for (const SwitchDirection direction : {SwitchDirection::kGradient, SwitchDirection::kMomentum})
      for (const double start : {0.0, -50.0})
        for (int64_t due = 1; due < 60; ++due) {
          SwitchOptions o = at_step(due);
          o.switch_projection = projection;
          o.switch_direction = direction;
          const SwitchPlan plan = plan_of(o, 100);
          SwitchState state = make_switch_state(plan, 1);
          NaiveSign signum{.lr = 1, .b1 = 0.9, .b2 = 0.9, .m = start};
          for (int t = 0; t < 100 && state.phase == SwitchPhase::kSign; ++t) {
            const double g = t == 0 ? 100 : -1;
            signum.step(0, g);
            const double v = direction == SwitchDirection::kGradient ? g : signum.m;
            const auto report =
                switch_step(plan, state, 1e-3,
                            Sums{{.finite = 1, .nonzero = signum.s != 0, .s_dot_v = signum.s * v, .v_dot_v = v * v}});
            EXPECT_GT(report.gamma.value_or(1), 0);
          }
          ASSERT_EQ(state.phase, SwitchPhase::kSgd);
          EXPECT_GT(phase_rates(plan, state, 1).sgd_rate(0), 0);
        }
}

TEST(SwitchByTensor, ATensorWithoutAnEstimateTakesTheGlobalRate) {
  const SwitchPlan plan = plan_of(by_tensor(at_step(3)), 100);
  SwitchState state = make_switch_state(plan, 3);
  const StepStatistics frozen{.finite = 50};
  std::optional<SwitchEvent> event;
  for (int t = 0; t < 3; ++t)
    event = switch_step(plan, state, 1e-3, Sums{of_ratio(2, 300), frozen, of_ratio(4, 300)}).event;
  ASSERT_TRUE(event);
  ASSERT_EQ(event->rates.size(), 3u);
  EXPECT_NEAR(event->rates[0], 2, 1e-12);
  EXPECT_NEAR(event->rates[1], 600.0 / 225, 1e-12);
  EXPECT_EQ(event->rates[1], event->lambda);
  EXPECT_NEAR(event->rates[2], 4, 1e-12);
}

TEST(SwitchByTensor, RefusedWhileSomeTensorHasNeitherRate) {
  const SwitchPlan plan = plan_of(by_tensor(at_step(1)), 100);
  SwitchState state = make_switch_state(plan, 2);
  const StepStatistics against{.finite = 100, .nonzero = 100, .s_dot_v = -500, .v_dot_v = 9};
  EXPECT_EQ(switch_step(plan, state, 1e-3, Sums{of_ratio(2), against}).event->reason, SwitchReason::kRefused);
  EXPECT_TRUE(state.rates.empty());
}

}  // namespace
}  // namespace signstep
