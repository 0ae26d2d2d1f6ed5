// SPDX-License-Identifier: Apache-2.0
#include "signstep/optim/optimizer_options.h"
#include "signstep/optim/rules/sign.h"

#include "tests/optim/fixtures.h"

namespace signstep {
namespace {

using testing::HasSubstr;
using enum SignKind;

SwitchOptions resolve_with(const SwitchOptions& o, SignKind kind = kSignum, const DitherOptions& dither = {}) {
  return resolved(o, switched_rule(resolved(SignOptions{.optimizer = kind})), resolved(dither));
}

std::string error_of(const SwitchOptions& o, SignKind kind = kSignum, const DitherOptions& dither = {}) {
  return option_error([&] { resolve_with(o, kind, dither); });
}

constexpr SwitchOptions kAtOptions{.switch_when = SwitchWhen::kAt};
constexpr SwitchOptions kAutoOptions{.switch_when = SwitchWhen::kAuto};

TEST(SwitchOptions, DefaultsAreThePairThatWorked) {
  const SwitchOptions o = resolve_with(kAtOptions);
  EXPECT_EQ(o.switch_projection, SwitchProjection::kNorm);
  EXPECT_EQ(o.switch_direction, SwitchDirection::kMomentum);
  EXPECT_EQ(o.switch_at, 0.6);
  EXPECT_EQ(o.switch_momentum, 0.9);
  EXPECT_EQ(resolve_with(kAtOptions, kLion).switch_momentum, 0.99);
  EXPECT_EQ(SwitchOptions{}.switch_when, SwitchWhen::kNever);
}

TEST(SwitchOptions, ResolvingTwiceChangesNothing) {
  for (SwitchOptions o :
       {SwitchOptions{}, kAtOptions, kAutoOptions, SwitchOptions{.switch_when = SwitchWhen::kAt, .switch_step = 7}}) {
    SwitchOptions once = resolve_with(o), twice = resolve_with(once);
    OptionList a, b;
    describe(a, once);
    describe(b, twice);
    EXPECT_EQ(a.to_text(), b.to_text());
  }
}

TEST(SwitchOptions, OnlyASignRuleCanBeLeft) {
  for (const char* rule : {"sgd", "adam", "adamw"}) {
    const auto error = [&](SwitchOptions o) {
      OptimizerOptions optimizer(rule);
      DitherOptions dither;
      return option_error([&] { resolve(optimizer, dither, o); });
    };
    EXPECT_THAT(error(kAtOptions), HasSubstr("wanted a sign rule (signsgd, signum, lion) to switch from"));
    EXPECT_THAT(error({.switch_at = 0.5}), HasSubstr("switch_at is 0.5 and switch_when never"));
    EXPECT_EQ(error({}), "no error");
  }
}

TEST(SwitchOptions, DitherOfAnythingButTheUpdateIsRefused) {
  const auto dither = [](DitherOn on) { return DitherOptions{.dither = DitherKind::kRelative, .dither_on = on}; };
  EXPECT_THAT(error_of(kAtOptions, kSignum, dither(DitherOn::kPost)), HasSubstr("dither_on is post"));
  EXPECT_EQ(error_of({}, kSignum, dither(DitherOn::kPost)), "no error");
  EXPECT_THAT(error_of(kAtOptions, kSignum, dither(DitherOn::kMean)), HasSubstr("dither_on is mean"));
  EXPECT_THAT(error_of(kAtOptions, kSignum, dither(DitherOn::kGradient)),
              HasSubstr("dither_on is gradient and a switch is wanted; the noise would count as gradient"));
  EXPECT_EQ(error_of(kAtOptions, kSignum, dither(DitherOn::kUpdate)), "no error");
}

TEST(SwitchOptions, OfASwitchThatIsNeverTakenAreRefused) {
  EXPECT_EQ(error_of({.switch_blend = 5}, kSignum),
            "switch_blend is 5 and switch_when is never; choose at or auto, or leave switch_blend out");
  EXPECT_THAT(error_of({.switch_follow = true}, kSignum), HasSubstr("switch_follow is true and switch_when is never"));
  EXPECT_EQ(error_of({.switch_average = 0.98}, kSignum), "no error") << "the default, as a record says it";
}

TEST(SwitchOptions, SignSgdHasNoMomentumToMeasureUnlessItIsTracked) {
  SwitchOptions o = kAtOptions;
  EXPECT_THAT(error_of(o, kSignSgd),
              HasSubstr("SignSGD without momentum keeps no average to measure; give switch_calibrate_from"));
  EXPECT_THAT(option_error([&] {
                resolved(o, switched_rule(resolved(SignOptions{.optimizer = kSignum, .momentum = 0.0})), {});
              }),
              HasSubstr("keeps no average"));
  o.switch_direction = SwitchDirection::kGradient;
  EXPECT_EQ(error_of(o, kSignSgd), "no error");
  o.switch_direction = SwitchDirection::kMomentum;
  o.switch_calibrate_from = 0.2;
  EXPECT_EQ(resolve_with(o, kSignSgd).switch_momentum, 0.9);
  EXPECT_THAT(error_of(o, kSignum), HasSubstr("keeps its average from the first step"));
}

TEST(SwitchOptions, OneSwitchPointAndOnlyWithAt) {
  EXPECT_THAT(error_of({.switch_when = SwitchWhen::kAt, .switch_at = 0.5, .switch_step = 10}),
              HasSubstr("wanted one of them"));
  EXPECT_THAT(error_of({.switch_at = 0.5}), HasSubstr("switch_at is 0.5 and switch_when never"));
  EXPECT_THAT(error_of({.switch_when = SwitchWhen::kAuto, .switch_step = 5}),
              HasSubstr("switch_step is 5 and switch_when auto"));
}

TEST(SwitchOptions, RangesAreStated) {
  const auto error = [](const SwitchOptions& o) { return error_of(o); };
  EXPECT_THAT(error({.switch_when = SwitchWhen::kAt, .switch_at = 1.0}), HasSubstr("in (0, 1) (share of the run)"));
  EXPECT_THAT(error({.switch_average = 1}), HasSubstr("in [0, 1)"));
  EXPECT_THAT(error({.switch_tolerance = 0}), HasSubstr("greater than 0"));
  EXPECT_THAT(error({.switch_patience = 0}), HasSubstr("at least 1"));
  EXPECT_THAT(error({.switch_blend = -1}), HasSubstr("switch_blend"));
  EXPECT_THAT(error({.switch_momentum = 1.0}), HasSubstr("in [0, 1)"));
  EXPECT_THAT(error({.switch_when = SwitchWhen::kAuto, .switch_after = 0.8}), HasSubstr("wanted the fallback later"));
}

TEST(SwitchPlan, TurnsSharesIntoSteps) {
  EXPECT_EQ(plan_switch(resolve_with({}), 0).due, 0u);
  EXPECT_EQ(plan_switch(resolve_with(kAtOptions), 1000).due, 600u);
  EXPECT_EQ(plan_switch(resolve_with({.switch_when = SwitchWhen::kAt, .switch_step = 7}), 1000).due, 7u);
  const SwitchPlan by_rate = plan_switch(resolve_with(kAutoOptions), 1000);
  EXPECT_EQ(by_rate.due, 750u);
  EXPECT_EQ(by_rate.earliest, 500u);
  SwitchOptions o = kAutoOptions;
  o.switch_min_steps = 600;
  EXPECT_EQ(plan_switch(resolve_with(o), 1000).earliest, 600u);
  for (const double share : {1e-9, 1 - 1e-9}) {
    const uint64_t due = plan_switch(resolve_with({.switch_when = SwitchWhen::kAt, .switch_at = share}), 10).due;
    EXPECT_TRUE(due >= 1 && due <= 9) << "both phases get a step";
  }
}

TEST(SwitchPlan, ABlendLeavesSgdHalfOfTheRest) {
  const auto blend = [](const SwitchOptions& o, uint64_t total) { return plan_switch(resolve_with(o), total).blend; };
  EXPECT_EQ(blend(kAtOptions, 1000), 100u);
  EXPECT_EQ(blend(kAtOptions, 200), 40u);
  EXPECT_EQ(blend({.switch_when = SwitchWhen::kAt, .switch_at = 0.5, .switch_blend = 20}, 200), 20u);
  EXPECT_EQ(blend({.switch_when = SwitchWhen::kAt, .switch_at = 0.9, .switch_blend = 20}, 10), 0u);
  EXPECT_EQ(blend({.switch_when = SwitchWhen::kAt, .switch_step = 9, .switch_blend = 20}, 10), 20u) << "as asked for";
}

TEST(SwitchPlan, RefusesStepsOutsideTheRun) {
  const auto error = [](const SwitchOptions& o, uint64_t total, SignKind kind = kSignum) {
    return option_error([&] { plan_switch(resolve_with(o, kind), total); });
  };
  EXPECT_THAT(error({.switch_when = SwitchWhen::kAt, .switch_step = 10}, 10),
              HasSubstr("due after step 10 and the run has 10"));
  EXPECT_THAT(error(kAtOptions, 1), HasSubstr("train longer"));
  EXPECT_THAT(error({.switch_when = SwitchWhen::kAuto, .switch_min_steps = 800}, 1000),
              HasSubstr("switch_min_steps is 800"));
  EXPECT_THAT(error({.switch_when = SwitchWhen::kAt, .switch_at = 0.3, .switch_calibrate_from = 0.5}, 1000, kSignSgd),
              HasSubstr("wanted calibration well before it"));
}

}  // namespace
}  // namespace signstep
