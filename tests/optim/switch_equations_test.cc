// SPDX-License-Identifier: Apache-2.0
// The equations of the phases after the switch, run from what phase_rates says. The float kernels have tests of their
// own; here it is the reading of PhaseRates that counts.
#include <cmath>

#include "signstep/optim/rules/sgd.h"
#include "signstep/optim/rules/sign.h"
#include "signstep/optim/switch.h"
#include "tests/optim/fixtures.h"

namespace signstep {
namespace {

using Sums = std::vector<StepStatistics>;

TEST(SwitchEquations, TheSgdPhaseIsAMovingAverage) {
  NaiveBlend sgd{.mu = 0.9, .b1 = 0.9};
  double x = 0;
  for (const double expected : {.1, .19, .271, .3439, .40951, .468559}) {
    const double next = sgd.step(x, 1, 1, 1, 0);
    EXPECT_NEAR(x - next, expected, 1e-12);
    x = next;
  }
  for (int t = 0; t < 500; ++t) x = sgd.step(x, 1, 1, 1, 0);
  EXPECT_NEAR(x - sgd.step(x, 1, 1, 1, 0), 1, 1e-12);
}

TEST(SwitchEquations, HeavyBallAtTheLoggedRateIsTheSamePath) {
  SwitchOptions o{.switch_when = SwitchWhen::kAt,
                  .switch_step = 1,
                  .switch_projection = SwitchProjection::kNorm,
                  .switch_blend = 0};
  const SwitchPlan plan = plan_switch(resolved(o, switched_rule(resolved(SignOptions{})), {}), 100);
  SwitchState state = make_switch_state(plan, 1);
  const auto event =
      switch_step(plan, state, 1e-2, Sums{{.finite = 100, .nonzero = 100, .s_dot_v = 1, .v_dot_v = 4}}).event;
  ASSERT_TRUE(event);
  NaiveBlend ours{.mu = *plan.options.switch_momentum, .b1 = 0.9, .d = 0.3};
  double x = 1;
  // PyTorch's buffer holds d / (1 - mu).
  std::vector<float> theirs{1}, buffer{3};
  const HeavyBall heavy_ball{static_cast<float>(event->heavy_ball_rate), 0.9f, 0, 1, false};
  for (int t = 0; t < 50; ++t) {
    const double g = std::sin(t) + 0.5;
    x = ours.step(x, g, 1e-2, phase_rates(plan, state, 1e-2).sgd_rate(0), phase_rates(plan, state, 1e-2).alpha);
    heavy_ball_step(heavy_ball, theirs, std::vector{static_cast<float>(g)}, buffer);
    EXPECT_NEAR(theirs[0], x, 1e-5);
  }
}

TEST(SwitchEquations, TheBlendTakesItsSignBeforeTheAverageMoves) {
  // d = 1 and g = -8.5: u = .9 - .85 > 0 by b1 = .9. A sign of the average moved already, .9 (.05) - .85, would be < 0.
  NaiveBlend rule{.mu = 0.9, .b1 = 0.9, .d = 1};
  EXPECT_NEAR(rule.step(0, -8.5, 1, 2, 0.5), -(0.5 * 1 + 0.5 * 2 * 0.05), 1e-12);
  EXPECT_NEAR(rule.d, 0.05, 1e-12);
}

TEST(SwitchEquations, DecayIsTakenOnceInEveryPhase) {
  for (const double alpha : {1.0, 0.75, 0.5, 0.0}) {
    NaiveBlend rule{.mu = 0.9, .b1 = 0.9, .decay = 0.5};
    EXPECT_DOUBLE_EQ(rule.step(8, 0, 0.1, 7, alpha), 8 * 0.95) << alpha;
  }
}

// A noisy quadratic in 200 dimensions, curvature 1 to 10: Signum, then SGD by the controller. The step after the switch
// must be as long as the one before, and the loss must not jump: what the textbook projection gets wrong.
struct Course {
  double at_switch = 0, worst_after = 0, end = 0, sign_length = 0, sgd_length = 0;
};

Course descend(SwitchOptions o) {
  constexpr size_t kSize = 200;
  constexpr uint64_t kSteps = 1000;
  o.switch_when = SwitchWhen::kAt;
  const SwitchPlan plan = plan_switch(resolved(o, switched_rule(resolved(SignOptions{})), {}), kSteps);
  SwitchState state = make_switch_state(plan, 1);
  SequentialRandom random(Stream(9, Purpose::kProblem));
  std::vector<double> x(kSize, 1.0);
  std::vector<NaiveSign> signum(kSize, {.lr = 0, .b1 = 0.9, .b2 = 0.9});
  std::vector<NaiveBlend> after(kSize, {.mu = *plan.options.switch_momentum, .b1 = 0.9});
  Course course;
  for (uint64_t t = 0; t < kSteps; ++t) {
    const double lr = 0.003 * (1 - static_cast<double>(t) / kSteps);
    const PhaseRates rates = phase_rates(plan, state, lr);
    Sums sums(1);
    double loss = 0, length = 0;
    for (size_t i = 0; i < kSize; ++i) {
      const double curvature = 1 + 9 * static_cast<double>(i) / kSize, g = curvature * x[i] + 3 * random.normal();
      const double before = x[i];
      if (rates.phase == SwitchPhase::kSign) {
        signum[i].lr = lr;
        x[i] = signum[i].step(x[i], g);
        after[i].d = signum[i].m;
        const double v = o.switch_direction == SwitchDirection::kMomentum ? signum[i].m : g;
        ++sums[0].finite;
        sums[0].nonzero += signum[i].s != 0;
        sums[0].s_dot_v += signum[i].s * v;
        sums[0].v_dot_v += v * v;
      } else {
        x[i] = after[i].step(x[i], g, lr, rates.sgd_rate(0), rates.alpha);
      }
      length += (x[i] - before) * (x[i] - before);
      loss += 0.5 * curvature * x[i] * x[i];
    }
    const uint64_t switched = state.switched_after;
    if (switched == 0) {
      course.at_switch = loss;
      course.sign_length = std::sqrt(length);
    } else {
      course.worst_after = std::max(course.worst_after, loss);
      if (t == switched) course.sgd_length = std::sqrt(length);
    }
    course.end = loss;
    switch_step(plan, state, lr, sums);
  }
  return course;
}

TEST(SwitchEquations, NormAgainstMomentumSwitchesWithoutAJump) {
  for (const int64_t blend : {0, 1, 100}) {
    const Course course = descend({.switch_blend = blend});
    EXPECT_LT(course.worst_after, 1.1 * course.at_switch) << blend;
    EXPECT_LT(course.end, course.at_switch) << blend;
    if (blend == 0) {
      EXPECT_NEAR(course.sgd_length / course.sign_length, 1, 0.1) << "equal step lengths, by definition";
    }
  }
}

TEST(SwitchEquations, SwatsTakesLongerStepsThanNormAndInnerShorter) {
  const auto length = [](SwitchProjection projection) {
    const Course course = descend({.switch_projection = projection, .switch_blend = 0});
    return course.sgd_length / course.sign_length;
  };
  EXPECT_GT(length(SwitchProjection::kSwats), 1.1);
  EXPECT_LT(length(SwitchProjection::kInner), 0.9);
}

}  // namespace
}  // namespace signstep
