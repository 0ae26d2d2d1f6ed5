// SPDX-License-Identifier: Apache-2.0
// What goes on after the switch: the average of the estimates, and the decay of the weights.
#include <cmath>

#include "signstep/optim/sign_optimizer.h"
#include "tests/optim/fixtures.h"

namespace signstep {
namespace {

using testing::HasSubstr;
using enum SignKind;

constexpr size_t kSize = 60;

// One tensor of a plan's run on gradients of its own.
struct OneTensor {
  UpdatePlan plan;
  SignState state = make_sign_state(plan, 1);
  std::vector<float> x = normals(kSize, 1), m = std::vector<float>(kSize, 0.0f);
  uint64_t t = 0;

  StepReport step(const std::vector<float>& g, double lr, double decay = 0) {
    StepTensor tensor;
    tensor.x = x.data();
    tensor.g = g.data();
    tensor.m = m.data();
    tensor.n = x.size();
    const TensorRate rate{lr, decay};
    SerialExecutor serial;
    KernelStepper kernels(serial);
    return sign_optimizer_step(plan, state, t++, {&tensor, 1}, {&rate, 1}, kernels);
  }
};

std::vector<float> gradient(uint64_t t) {
  std::vector<float> g = normals(kSize, 100 + t, 0.3);
  for (size_t i = 0; i < kSize; ++i) g[i] += 0.5f * std::sin(static_cast<float>(i));
  return g;
}

// The rule written down in doubles: the sign rule's m goes on, Lambda is the bias-corrected average of the estimates so
// far.
struct Naive {
  double b, mu, rho, lr;
  bool absolute;
  std::vector<double> x, m = std::vector<double>(kSize), d = std::vector<double>(kSize);
  double lambda = 0;
  int estimates = 0;

  double rate() const { return lambda / (1 - std::pow(rho, estimates)); }

  void step(const std::vector<float>& g, bool switched) {
    const double before = switched ? rate() : 0;
    double sv = 0, vv = 0;
    for (size_t i = 0; i < kSize; ++i) {
      m[i] = b * m[i] + (1 - b) * g[i];
      d[i] = mu * d[i] + (1 - mu) * g[i];
      const double s = sign_of(m[i]);
      sv += s * g[i];
      vv += static_cast<double>(g[i]) * g[i];
      x[i] -= switched ? before * lr * d[i] : lr * s;
    }
    const double ratio = (absolute ? std::abs(sv) : sv) / vv;
    if (ratio <= 0) return;
    lambda = rho * lambda + (1 - rho) * ratio;
    ++estimates;
  }
};

SwitchOptions following(double mu, SwitchNegative negative) {
  return {.switch_when = SwitchWhen::kAt,
          .switch_step = 20,
          .switch_projection = SwitchProjection::kInner,
          .switch_direction = SwitchDirection::kGradient,
          .switch_negative = negative,
          .switch_average = 0.9,
          .switch_blend = 0,
          .switch_momentum = mu,
          .switch_follow = true,
          .switch_penalty = 0};
}

// mu = 0 with the absolute value is the recipe that docs/algorithms.md calls second-hand.
TEST(SwitchFollow, LambdaGoesOnAsTheEquationSays) {
  for (const double b : {0.0, 0.9}) {
    for (const double mu : {0.0, 0.9, 0.5}) {
      if (b > 0 && mu == 0.5) continue;  // refused
      for (const SwitchNegative negative : {SwitchNegative::kSkip, SwitchNegative::kAbsolute}) {
        SCOPED_TRACE(testing::Message() << b << " " << mu << " " << static_cast<int>(negative));
        OneTensor run{make_update_plan({.optimizer = kSignum, .momentum = b}, {}, following(mu, negative), 1, 100)};
        Naive naive{b, mu, 0.9, 0.01, negative == SwitchNegative::kAbsolute, {run.x.begin(), run.x.end()}};
        double first = 0;
        for (uint64_t t = 0; t < 60; ++t) {
          std::vector<float> g = gradient(t);
          if (t % 9 == 4) {
            for (float& value : g) value = -value;  // points against the average: s.g < 0
          }
          if (t == 20 && b == 0) naive.d.assign(kSize, 0);  // a rule without an average starts SGD's cold
          naive.step(g, t >= 20);
          const StepReport report = run.step(g, 0.01);
          ASSERT_TRUE(report.switching.lambda);
          ASSERT_NEAR(*report.switching.lambda, naive.rate(), 1e-6 * naive.rate()) << t;
          ASSERT_EQ(report.phase, t < 20 ? SwitchPhase::kSign : SwitchPhase::kSgd);
          if (t == 20) first = *report.switching.lambda;
        }
        EXPECT_NE(run.state.switching.rates.at(0), first) << "it moves on";
        for (size_t i = 0; i < kSize; ++i) ASSERT_NEAR(run.x[i], naive.x[i], 2e-5) << i;
      }
    }
  }
}

TEST(SwitchFollow, ThroughABlendItIsTheSameAverage) {
  SwitchOptions o = following(0, SwitchNegative::kAbsolute);
  OneTensor at_once{make_update_plan({}, {}, o, 1, 100)};
  o.switch_blend = 10;
  OneTensor blended{make_update_plan({}, {}, o, 1, 100)};
  for (uint64_t t = 0; t < 50; ++t) {
    const auto a = at_once.step(gradient(t), 0.01).switching.lambda,
               b = blended.step(gradient(t), 0.01).switching.lambda;
    ASSERT_EQ(a, b) << t;
  }
  EXPECT_EQ(at_once.m, blended.m);
  EXPECT_NE(at_once.x, blended.x);
}

TEST(SwitchFollow, WithoutItLambdaIsFrozen) {
  SwitchOptions o = following(0.9, SwitchNegative::kSkip);
  o.switch_follow = false;
  OneTensor run{make_update_plan({}, {}, o, 1, 100)};
  std::optional<double> frozen;
  for (uint64_t t = 0; t < 60; ++t) {
    const auto report = run.step(gradient(t), 0.01).switching;
    if (t == 19) frozen = report.lambda;
    if (t < 20) continue;
    EXPECT_EQ(report.lambda, frozen);
    EXPECT_EQ(report.gamma, std::nullopt);
  }
}

// The dither of the step that is measured goes on too: draws and rms as if the step were taken.
TEST(SwitchFollow, TheMeasuredStepKeepsItsDither) {
  const auto run = [](const DitherOptions& dither) {
    OneTensor one{make_update_plan({}, dither, following(0.9, SwitchNegative::kSkip), 1, 100)};
    StepReport report;
    for (uint64_t t = 0; t < 40; ++t) report = one.step(gradient(t), 0.01);
    return std::pair(*report.switching.lambda, report.dither_level);
  };
  const auto [plain, none] = run({});
  const auto [dithered, level] = run({.dither = DitherKind::kRelative, .dither_shape = DitherShape::kConstant});
  EXPECT_EQ(none, 0);
  EXPECT_EQ(level, 1);
  EXPECT_LT(dithered, plain) << "a dithered sign agrees less with the gradient";
}

TEST(SwitchFollow, RefusesWhatHasNoBufferForIt) {
  const auto error = [](SwitchOptions o, const SignOptions& rule = {}, const DitherOptions& dither = {}) {
    return option_error([&] { make_update_plan(rule, dither, o, 0, 100); });
  };
  EXPECT_THAT(error(following(0.5, SwitchNegative::kSkip)), HasSubstr("wanted 0 or Signum's own 0.9"));
  EXPECT_THAT(error(following(0.5, SwitchNegative::kSkip), {.optimizer = kLion}), HasSubstr("Lion's own 0.99"));
  EXPECT_EQ(error(following(0.5, SwitchNegative::kSkip), {.optimizer = kSignSgd}), "no error");
  SwitchOptions o = following(0, SwitchNegative::kSkip);
  o.switch_decay = SwitchDecay::kL2;
  EXPECT_THAT(error(o), HasSubstr("switch_decay l2"));
  EXPECT_THAT(error(following(0, SwitchNegative::kSkip), {},
                    {.dither = DitherKind::kRelative, .dither_on = DitherOn::kGradient}),
              HasSubstr("dither_on is gradient"));
  o = following(0, SwitchNegative::kAbsolute);
  o.switch_projection = SwitchProjection::kNorm;
  EXPECT_THAT(error(o), HasSubstr("switch_negative is absolute and switch_projection norm"));
}

PhaseDecay decay_in(SwitchPhase phase, SwitchDecay kind, double decay) {
  SwitchOptions o{.switch_when = SwitchWhen::kAt,
                  .switch_step = 1,
                  .switch_blend = 4,
                  .switch_decay = kind,
                  .switch_penalty = 0.25};
  const SwitchPlan plan = plan_switch(resolved(o, switched_rule(resolved(SignOptions{})), {}), 100);
  SwitchState state = make_switch_state(plan, 1);
  state.phase = phase;
  if (phase != SwitchPhase::kSign) state.rates = {8};  // R = 8 * 0.125 = 1
  return phase_decay(plan, phase_rates(plan, state, 0.125), 0, decay);
}

TEST(SwitchDecay, KnownAnswers) {
  for (const SwitchDecay kind : {SwitchDecay::kDecoupled, SwitchDecay::kL2, SwitchDecay::kSign}) {
    EXPECT_EQ(decay_in(SwitchPhase::kSign, kind, 0.5).decay_factor, 1 - 0.0625);
    EXPECT_EQ(decay_in(SwitchPhase::kSign, kind, 0.5).l2, 0);
  }
  // First blend step: alpha 3/4.
  EXPECT_EQ(decay_in(SwitchPhase::kBlend, SwitchDecay::kDecoupled, 0.5).decay_factor,
            1 - (0.75 * 0.0625 + 0.25 * 0.25));
  EXPECT_EQ(decay_in(SwitchPhase::kBlend, SwitchDecay::kL2, 0.5).decay_factor, 1 - (0.75 * 0.0625 + 0.25 * 0.25));
  EXPECT_EQ(decay_in(SwitchPhase::kBlend, SwitchDecay::kSign, 0.5).decay_factor, 1 - 0.0625);
  EXPECT_EQ(decay_in(SwitchPhase::kSgd, SwitchDecay::kDecoupled, 0.5).decay_factor, 0.75);
  EXPECT_EQ(decay_in(SwitchPhase::kSgd, SwitchDecay::kL2, 0.5).decay_factor, 1);
  EXPECT_EQ(decay_in(SwitchPhase::kSgd, SwitchDecay::kL2, 0.5).l2, 0.25);
  EXPECT_EQ(decay_in(SwitchPhase::kSgd, SwitchDecay::kSign, 0.5).decay_factor, 1 - 0.0625);
  // What is spared before the switch is spared after it.
  EXPECT_EQ(decay_in(SwitchPhase::kSgd, SwitchDecay::kDecoupled, 0).decay_factor, 1);
  EXPECT_EQ(decay_in(SwitchPhase::kSgd, SwitchDecay::kL2, 0).l2, 0);
}

// By default a weight that gets no gradient shrinks after the switch as under SGD's own defaults at that rate.
TEST(SwitchDecay, TheDefaultIsTunedSgdsAtTheCalibratedRate) {
  for (const SwitchDecay kind : {SwitchDecay::kDecoupled, SwitchDecay::kL2, SwitchDecay::kSign}) {
    SwitchOptions o{.switch_when = SwitchWhen::kAt, .switch_step = 10, .switch_blend = 0, .switch_decay = kind};
    OneTensor run{make_update_plan({}, {}, o, 1, 10000)};
    std::vector<float> g = normals(kSize, 3, 1e-3);  // so small that SGD's rate is large: float rounds x each time
    g[0] = 0;
    for (uint64_t t = 0; t < 10; ++t) run.step(g, 1e-3, 0.05);
    const double rate = phase_rates(run.plan.switching, run.state.switching, 1e-3).sgd_rate(0);
    const double before = run.x[0];
    for (uint64_t t = 0; t < 1000; ++t) run.step(g, 1e-3, 0.05);
    const double each = kind == SwitchDecay::kSign ? 1e-3 * 0.05 : rate * 5e-4;
    EXPECT_NEAR(std::log(run.x[0] / before), -1000 * each, 0.02 * 1000 * each) << static_cast<int>(kind);
  }
}

TEST(SwitchDecay, AFactorThatTakesAllIsRefusedBeforeAnythingMoves) {
  SwitchOptions o{.switch_when = SwitchWhen::kAt, .switch_step = 1, .switch_blend = 0};
  OneTensor run{make_update_plan({}, {}, o, 1, 100)};
  run.step(normals(kSize, 3), 1e-3, 1e-30);
  ASSERT_EQ(run.state.switching.phase, SwitchPhase::kSgd);
  const std::vector<float> x = run.x;
  EXPECT_THAT(option_error([&] { run.step(normals(kSize, 4), 1e9, 1e-30); }),  // a schedule that goes up
              HasSubstr("switch_penalty is 0.0005"));
  EXPECT_EQ(run.x, x);
}

// A record from before the choice went on with the sign rule's decay; one without a switch means nothing by its
// silence.
TEST(SwitchDecay, AnOlderRecordKeepsItsMeaning) {
  for (const SwitchWhen when : {SwitchWhen::kNever, SwitchWhen::kAt}) {
    SwitchOptions o{.switch_when = when};
    OptionList list;
    describe(list, o);
    list.set_absent([](const std::string& name) { return name != "switch_decay"; });
    EXPECT_EQ(o.switch_decay, when == SwitchWhen::kNever ? SwitchDecay::kDecoupled : SwitchDecay::kSign);
    list.set("switch_decay", "l2");
    list.set_absent([](const std::string&) { return true; });
    EXPECT_EQ(o.switch_decay, SwitchDecay::kL2) << "named";
  }
}

}  // namespace
}  // namespace signstep
