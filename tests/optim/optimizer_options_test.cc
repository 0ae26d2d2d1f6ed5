// SPDX-License-Identifier: Apache-2.0
#include "signstep/optim/optimizer_options.h"

#include "tests/optim/fixtures.h"

namespace signstep {
namespace {

using testing::HasSubstr;
using enum OptimizerKind;

constexpr OptimizerKind kAll[] = {kSignSgd, kSignum, kLion, kSgd, kAdam, kAdamW};

TEST(OptimizerOptions, AutoBecomesTheDocumentedDefault) {
  struct Row {
    OptimizerKind kind;
    double rate;
    std::optional<double> momentum, decay, l2, beta1, beta2;
  };
  const auto none = std::nullopt;
  for (const Row& row :
       {Row{kSignSgd, 3e-4, none, 0.1, none, none, none}, Row{kSignum, 1e-3, 0.9, 0.05, none, none, none},
        Row{kLion, 3e-4, none, 0.1, none, 0.9, 0.99}, Row{kSgd, 0.1, 0.9, 0.0, 5e-4, none, none},
        Row{kAdam, 1e-3, none, none, 0.0, 0.9, 0.999}, Row{kAdamW, 1e-3, none, 0.05, none, 0.9, 0.999}}) {
    const OptimizerOptions o = resolved(OptimizerOptions{.optimizer = row.kind});
    SCOPED_TRACE(display_name(row.kind));
    EXPECT_EQ(o.learning_rate, row.rate);
    EXPECT_EQ(o.momentum, row.momentum);
    EXPECT_EQ(o.decoupled_weight_decay, row.decay);
    EXPECT_EQ(o.l2_penalty, row.l2);
    EXPECT_EQ(o.beta1, row.beta1);
    EXPECT_EQ(o.beta2, row.beta2);
  }
}

TEST(OptimizerOptions, ResolvingTwiceChangesNothing) {
  for (const OptimizerKind kind : kAll) {
    OptimizerOptions once = resolved(OptimizerOptions{.optimizer = kind}), twice = resolved(once);
    OptionList a, b;
    describe(a, once);
    describe(b, twice);
    EXPECT_EQ(a.to_text(), b.to_text());
  }
}

TEST(OptimizerOptions, GivenValuesStay) {
  const OptimizerOptions o = resolved(OptimizerOptions{.optimizer = kSignum, .learning_rate = 2.0, .momentum = 0.0});
  EXPECT_EQ(o.learning_rate, 2.0);
  EXPECT_EQ(o.momentum, 0.0);
}

TEST(OptimizerOptions, RefusesWhatTheOptimizerDoesNotHave) {
  const auto error = [](OptimizerOptions o) { return option_error([&] { resolved(o); }); };
  EXPECT_THAT(error({.optimizer = kSignSgd, .momentum = 0.9}),
              HasSubstr("signsgd has none; leave it out; signum is SignSGD"));
  EXPECT_THAT(error({.optimizer = kLion, .momentum = 0.9}), HasSubstr("it has beta1 and beta2"));
  EXPECT_THAT(error({.optimizer = kSignum, .l2_penalty = 0.1}), HasSubstr("it has decoupled_weight_decay"));
  EXPECT_THAT(error({.optimizer = kAdam, .decoupled_weight_decay = 0.1}), HasSubstr("adam has l2_penalty"));
  EXPECT_THAT(error({.optimizer = kSgd, .beta1 = 0.9}), HasSubstr("beta1 is 0.9 and sgd has none"));
  EXPECT_THAT(error({.optimizer = kSignum, .beta2 = 0.9}), HasSubstr("beta2"));
  EXPECT_THAT(error({.optimizer = kSignum, .nesterov = true}), HasSubstr("nesterov"));
  EXPECT_THAT(error({.optimizer = kSgd, .momentum = 0.0, .nesterov = true}), HasSubstr("nesterov"));
}

TEST(OptimizerOptions, RefusesWhatIsOutOfRange) {
  const auto error = [](OptimizerOptions o) { return option_error([&] { resolved(o); }); };
  EXPECT_THAT(error({.learning_rate = 0.0}),
              HasSubstr("learning_rate is '0'; wanted auto or a number greater than 0 (per step)"));
  EXPECT_THAT(error({.learning_rate = -1.0}), HasSubstr("learning_rate"));
  EXPECT_THAT(error({.learning_rate = std::nan("")}), HasSubstr("learning_rate"));
  EXPECT_THAT(error({.momentum = 1.0}), HasSubstr("in [0, 1)"));
  EXPECT_THAT(error({.decoupled_weight_decay = -0.1}), HasSubstr("at least 0"));
  EXPECT_THAT(error({.optimizer = kAdam, .epsilon = 0}), HasSubstr("epsilon"));
}

TEST(OptimizerOptions, RefusesWhatFloatTurnsIntoSomethingElse) {
  const auto error = [](OptimizerOptions o) { return option_error([&] { resolved(o); }); };
  EXPECT_THAT(error({.optimizer = kAdam, .epsilon = 1e-50}), HasSubstr("epsilon is 1e-50, which is 0 in float"));
  EXPECT_THAT(error({.optimizer = kAdam, .epsilon = 1e50}), HasSubstr("epsilon is 1e+50, which is inf in float"));
  EXPECT_THAT(error({.learning_rate = 1e-60}), HasSubstr("learning_rate"));
  EXPECT_THAT(error({.optimizer = kSgd, .l2_penalty = 1e40}), HasSubstr("l2_penalty"));
  EXPECT_THAT(error({.momentum = 1 - 1e-12}), HasSubstr("which is 1 in float; wanted one that stays below 1"));
  EXPECT_THAT(error({.optimizer = kAdam, .beta2 = 1 - 1e-12}), HasSubstr("beta2"));
}

TEST(OptimizerOptions, RefusesADecayThatTakesAllOfAWeight) {
  const auto error = [](OptimizerOptions o) { return option_error([&] { resolved(o); }); };
  for (const OptimizerKind kind : {kSignSgd, kSignum, kLion, kSgd, kAdamW}) {
    EXPECT_THAT(error({.optimizer = kind, .learning_rate = 1.0, .decoupled_weight_decay = 2.0}),
                HasSubstr("decoupled_weight_decay is 2 at a rate of 1, so each step would multiply the weights by -1"));
    EXPECT_THAT(error({.optimizer = kind, .learning_rate = 1.0, .decoupled_weight_decay = 1.0}), HasSubstr("by 0"));
    EXPECT_EQ(error({.optimizer = kind, .learning_rate = 1.0, .decoupled_weight_decay = 0.99}), "no error");
  }
}

TEST(OptimizerOptions, OneMeaningOfKeepingAnAverage) {
  EXPECT_TRUE(keeps_average(resolved(OptimizerOptions{.optimizer = kSignum})));
  EXPECT_TRUE(keeps_average(resolved(OptimizerOptions{.optimizer = kLion, .beta2 = 0.0})));
  EXPECT_FALSE(keeps_average(resolved(OptimizerOptions{.optimizer = kSignum, .momentum = 0.0})));
  EXPECT_FALSE(keeps_average(resolved(OptimizerOptions{.optimizer = kSignSgd})));
}

TEST(OptimizerOptions, SignRulesAreThree) {
  for (const OptimizerKind kind : kAll) EXPECT_EQ(is_sign_rule(kind), kind <= kLion);
}

}  // namespace
}  // namespace signstep
