// SPDX-License-Identifier: Apache-2.0
#include "signstep/optim/optimizer_options.h"

#include "signstep/optim/rules/rules.h"
#include "signstep/optim/rules/sign.h"
#include "tests/optim/fixtures.h"

namespace signstep {
namespace {

using testing::HasSubstr;
using Values = OptimizerOptions::Values;
using enum SignKind;

OptimizerOptions resolved(OptimizerOptions o, DitherOptions dither = {}) {
  SwitchOptions never;
  resolve(o, dither, never);
  return o;
}

std::string error(const char* rule, const Values& values, const DitherOptions& dither = {}) {
  return option_error([&] { resolved(OptimizerOptions(rule, values), dither); });
}

TEST(OptimizerOptions, AutoBecomesTheDocumentedDefault) {
  struct Row {
    const char *rule, *rate, *momentum, *decay, *l2, *beta1, *beta2;
  };
  for (const Row& row : {Row{"signsgd", "0.0003", "auto", "0.1", "auto", "auto", "auto"},
                         Row{"signum", "0.001", "0.9", "0.05", "auto", "auto", "auto"},
                         Row{"lion", "0.0003", "auto", "0.1", "auto", "0.9", "0.99"},
                         Row{"sgd", "0.1", "0.9", "0", "0.0005", "auto", "auto"},
                         Row{"adam", "0.001", "auto", "auto", "0", "0.9", "0.999"},
                         Row{"adamw", "0.001", "auto", "0.05", "auto", "0.9", "0.999"},
                         Row{"ef-signsgd", "0.1", "0.9", "0", "auto", "auto", "auto"}}) {
    const OptimizerOptions o = resolved(OptimizerOptions(row.rule));
    SCOPED_TRACE(row.rule);
    EXPECT_EQ(o.get("learning_rate"), row.rate);
    EXPECT_EQ(o.get("momentum"), row.momentum);
    EXPECT_EQ(o.get("decoupled_weight_decay"), row.decay);
    EXPECT_EQ(o.get("l2_penalty"), row.l2);
    EXPECT_EQ(o.get("beta1"), row.beta1);
    EXPECT_EQ(o.get("beta2"), row.beta2);
    EXPECT_EQ(o.get("nesterov"), "false");
    EXPECT_EQ(o.get("epsilon"), "1e-08");
    EXPECT_EQ(o.get("zero"), "skip");
  }
}

TEST(OptimizerOptions, ResolvingTwiceChangesNothing) {
  for (const std::string& rule : standard_rules().names()) {
    OptimizerOptions once = resolved(OptimizerOptions(rule)), twice = resolved(once);
    OptionList a, b;
    describe(a, once);
    describe(b, twice);
    EXPECT_EQ(a.to_text(), b.to_text());
  }
}

TEST(OptimizerOptions, GivenValuesStay) {
  const OptimizerOptions o = resolved(OptimizerOptions("signum", {{"learning_rate", "2"}, {"momentum", "0"}}));
  EXPECT_EQ(o.get("learning_rate"), "2");
  EXPECT_EQ(o.get("momentum"), "0");
}

TEST(OptimizerOptions, OneValueWhicheverRuleIsChosen) {
  OptimizerOptions o("sgd", {{"learning_rate", "0.25"}, {"epsilon", "1e-6"}, {"zero", "plus"}});
  for (const char* rule : {"lion", "adam", "sgd"}) {
    o.set("optimizer", rule);
    EXPECT_EQ(resolved(o).get("learning_rate"), "0.25");
    EXPECT_EQ(resolved(o).get("epsilon"), "1e-06") << "does no harm unused, as a recorded run may hold it";
    EXPECT_EQ(resolved(o).get("zero"), "plus");
  }
}

TEST(OptimizerOptions, RefusesWhatTheOptimizerDoesNotHave) {
  EXPECT_EQ(error("signsgd", {{"momentum", "0.9"}}),
            "momentum is 0.9 and signsgd has none; leave it out; signum is SignSGD with momentum");
  EXPECT_EQ(error("lion", {{"momentum", "0.9"}}),
            "momentum is 0.9 and lion has none; leave it out; it has beta1 and beta2");
  EXPECT_EQ(error("adam", {{"momentum", "0.9"}}),
            "momentum is 0.9 and adam has none; leave it out; it has beta1 and beta2");
  for (const char* rule : {"signsgd", "signum", "lion", "adamw"}) {
    EXPECT_EQ(error(rule, {{"l2_penalty", "0.1"}}),
              fmt::format("l2_penalty is 0.1 and {} has none; leave it out; it has decoupled_weight_decay", rule));
  }
  EXPECT_EQ(error("adam", {{"decoupled_weight_decay", "0.1"}}),
            "decoupled_weight_decay is 0.1 and adam has none; leave it out; adam has l2_penalty, adamw "
            "decoupled_weight_decay");
  for (const char* rule : {"signsgd", "signum", "sgd"}) {
    EXPECT_EQ(error(rule, {{"beta1", "0.9"}}), fmt::format("beta1 is 0.9 and {} has none; leave it out", rule));
    EXPECT_EQ(error(rule, {{"beta2", "0.9"}}), fmt::format("beta2 is 0.9 and {} has none; leave it out", rule));
  }
  for (const char* rule : {"signum", "adam"})
    EXPECT_THAT(error(rule, {{"nesterov", "true"}}), HasSubstr("nesterov is true; wanted with sgd and a momentum"));
  EXPECT_THAT(error("sgd", {{"momentum", "0"}, {"nesterov", "true"}}), HasSubstr("nesterov"));
  EXPECT_EQ(error("adam", {}, {.dither = DitherKind::kRelative}),
            "dither is on and Adam has no dither; leave it out, or choose signsgd, signum or lion");
}

TEST(OptimizerOptions, RefusesWhatIsOutOfRange) {
  EXPECT_THAT(error("signum", {{"learning_rate", "0"}}),
              HasSubstr("learning_rate is '0'; wanted auto or a number greater than 0 (per step)"));
  EXPECT_THAT(error("signum", {{"learning_rate", "-1"}}), HasSubstr("learning_rate"));
  EXPECT_THAT(error("signum", {{"learning_rate", "nan"}}), HasSubstr("learning_rate"));
  EXPECT_THAT(error("signum", {{"momentum", "1"}}), HasSubstr("in [0, 1)"));
  EXPECT_THAT(error("signum", {{"decoupled_weight_decay", "-0.1"}}), HasSubstr("at least 0"));
  EXPECT_THAT(error("adam", {{"epsilon", "0"}}), HasSubstr("epsilon"));
  EXPECT_THAT(error("adam", {{"epsilom", "1"}}), HasSubstr("unknown option 'epsilom'; did you mean 'epsilon'?"));
}

// The sign rules' own struct, which a caller fills without a word parsed.
TEST(SignOptions, RefusesWhatIsOutOfRange) {
  const auto own_error = [](const SignOptions& o) { return option_error([&] { resolved(o); }); };
  EXPECT_THAT(own_error({.learning_rate = -1.0}), HasSubstr("learning_rate is '-1'"));
  EXPECT_THAT(own_error({.learning_rate = std::nan("")}), HasSubstr("learning_rate"));
  EXPECT_THAT(own_error({.momentum = 1.0}), HasSubstr("in [0, 1)"));
  EXPECT_THAT(own_error({.optimizer = kSignSgd, .momentum = 0.5}), HasSubstr("signsgd has none"));
}

TEST(OptimizerOptions, RefusesWhatFloatTurnsIntoSomethingElse) {
  EXPECT_EQ(error("adam", {{"epsilon", "1e-50"}}),
            "epsilon is 1e-50, which is 0 in float; wanted one that stays finite and above 0, such as 1e-8");
  EXPECT_THAT(error("adam", {{"epsilon", "1e50"}}), HasSubstr("epsilon is 1e+50, which is inf in float"));
  EXPECT_THAT(error("signum", {{"learning_rate", "1e-60"}}), HasSubstr("learning_rate"));
  EXPECT_THAT(error("sgd", {{"l2_penalty", "1e40"}}), HasSubstr("l2_penalty"));
  EXPECT_THAT(error("signum", {{"momentum", "0.999999999999"}}),
              HasSubstr("which is 1 in float; wanted one that stays below 1, such as 0.9999"));
  EXPECT_THAT(error("adam", {{"beta2", "0.999999999999"}}), HasSubstr("beta2"));
}

TEST(OptimizerOptions, RefusesADecayThatTakesAllOfAWeight) {
  for (const char* rule : {"signsgd", "signum", "lion", "sgd", "adamw"}) {
    const auto with_decay = [&](const char* decay) {
      return error(rule, {{"learning_rate", "1"}, {"decoupled_weight_decay", decay}});
    };
    EXPECT_THAT(with_decay("2"),
                HasSubstr("decoupled_weight_decay is 2 at a rate of 1, so each step would multiply the weights by -1"));
    EXPECT_THAT(with_decay("1"), HasSubstr("by 0"));
    EXPECT_EQ(with_decay("0.99"), "no error");
  }
}

TEST(SignOptions, OneMeaningOfKeepingAnAverage) {
  EXPECT_TRUE(keeps_average(resolved(SignOptions{.optimizer = kSignum})));
  EXPECT_TRUE(keeps_average(resolved(SignOptions{.optimizer = kLion, .beta2 = 0.0})));
  EXPECT_FALSE(keeps_average(resolved(SignOptions{.optimizer = kSignum, .momentum = 0.0})));
  EXPECT_FALSE(keeps_average(resolved(SignOptions{.optimizer = kSignSgd})));
}

TEST(OptimizerOptions, SignRulesAreThree) {
  for (const std::string& rule : standard_rules().names()) {
    const bool sign = rule == "signsgd" || rule == "signum" || rule == "lion";
    EXPECT_EQ(OptimizerOptions(rule).takes_sign(), sign) << rule;
  }
}

}  // namespace
}  // namespace signstep
