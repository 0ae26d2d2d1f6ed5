// SPDX-License-Identifier: Apache-2.0
#include "signstep/options/own_defaults.h"

#include <gmock/gmock.h>

namespace signstep {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// As a run's record has them.
TrainOptions recorded(const OptimizerOptions::Values& values, const std::string& rule) {
  TrainOptions options;
  options.optimizer = OptimizerOptions(rule, values);
  return resolved(options);
}

TEST(OwnDefaults, WhatARuleFilledInIsAutoAgain) {
  TrainOptions options = recorded({}, "signum");
  EXPECT_EQ(options.optimizer.get("learning_rate"), "0.001");
  const CarriedOver carried = forget_own_defaults(options);
  EXPECT_THAT(carried.reset, ElementsAre("learning_rate", "momentum", "decoupled_weight_decay"));
  EXPECT_THAT(carried.kept, IsEmpty());
  options.optimizer.set("optimizer", "sgd");
  const TrainOptions sgd = resolved(options), own = recorded({}, "sgd");
  for (const char* name : {"learning_rate", "momentum", "decoupled_weight_decay", "l2_penalty"})
    EXPECT_EQ(sgd.optimizer.get(name), own.optimizer.get(name)) << name;
}

TEST(OwnDefaults, WhatSomebodyChoseIsKeptAndNamed) {
  TrainOptions options = recorded({{"learning_rate", "0.003"}, {"momentum", "0.95"}}, "signum");
  const CarriedOver carried = forget_own_defaults(options);
  EXPECT_THAT(carried.reset, ElementsAre("decoupled_weight_decay"));
  EXPECT_THAT(carried.kept, ElementsAre("learning_rate", "momentum"));
  EXPECT_EQ(options.optimizer.get("learning_rate"), "0.003");
}

TEST(OwnDefaults, TheSameRuleFillsInTheSameAgain) {
  for (const std::string& rule : OptimizerOptions().rules().names()) {
    const TrainOptions before = recorded({}, rule);
    TrainOptions options = before;
    forget_own_defaults(options);
    TrainOptions again = resolved(options), was = before;
    EXPECT_EQ(option_list(again).to_text(), option_list(was).to_text()) << rule;
  }
}

TEST(OwnDefaults, TheMachinesChoiceIsNoDefault) {
  TrainOptions options = recorded({}, "signum");
  options.engine.name = "torch";
  options.engine.threads = 2;
  forget_own_defaults(options);
  EXPECT_EQ(options.engine.name, "torch");
  EXPECT_EQ(options.engine.threads, 2);
}

TEST(OwnDefaults, ForgettingTheMethodLeavesTheRest) {
  TrainOptions options = recorded({{"learning_rate", "0.003"}}, "signsgd");
  options.dither.dither = DitherKind::kRelative;
  options.switching.switch_when = SwitchWhen::kAt;
  options.epochs = 7;
  options.seed = 9;
  options.schedule.schedule = ScheduleKind::kStep;
  forget_method(options);
  EXPECT_EQ(options.optimizer.rule().name, "signsgd");
  EXPECT_EQ(options.optimizer.get("learning_rate"), "auto");
  EXPECT_EQ(options.dither.dither, DitherOptions().dither);
  EXPECT_EQ(options.switching.switch_when, SwitchWhen::kNever);
  EXPECT_EQ(options.epochs, 7);
  EXPECT_EQ(options.seed, 9u);
  EXPECT_EQ(options.schedule.schedule, ScheduleKind::kStep);
}

}  // namespace
}  // namespace signstep
