// SPDX-License-Identifier: Apache-2.0
#include "signstep/train/learner.h"

#include <gtest/gtest.h>

#include <stdexcept>

#include "tests/train/still_engine.h"

namespace signstep {
namespace {

// Signum at a rate of 0.5, without decay, whose engine always finds the gradient (1, -2).
Learner still_learner(const Schedule& schedule) {
  auto engine = std::make_unique<StillEngine>();
  engine->gradients()[0] = 1;
  engine->gradients()[1] = -2;
  OptimizerOptions options("signum", {{"learning_rate", "0.5"}, {"decoupled_weight_decay", "0"}});
  return Learner(std::move(engine), make_rule(options), schedule);
}

TEST(Learner, TheRateFollowsTheSchedule) {
  Learner learner = still_learner(Schedule({.schedule = ScheduleKind::kLinear}, 4));
  for (int t = 0; t < 4; ++t) {
    EXPECT_EQ(learner.state().step, static_cast<uint64_t>(t));
    EXPECT_DOUBLE_EQ(learner.step({}).learning_rate, 0.5 * (1 - t / 4.0));
  }
  EXPECT_FLOAT_EQ(learner.engine().values()[0], -1.25f);  // the rates' sum
  EXPECT_FLOAT_EQ(learner.engine().values()[1], 1.25f);
}

TEST(Learner, BetweenGradientAndStepNothingHasMoved) {
  Learner learner = still_learner(Schedule({.schedule = ScheduleKind::kConstant}, 1));
  bool seen = false;
  learner.step({}, [&](const BatchResult&) {
    seen = true;
    EXPECT_EQ(learner.engine().values()[0], 0);
    EXPECT_EQ(learner.engine().gradients()[1], -2);
    EXPECT_EQ(learner.state().step, 0u);
  });
  EXPECT_TRUE(seen);
  EXPECT_EQ(learner.engine().values()[0], -0.5f);
  EXPECT_EQ(learner.state().step, 1u);
}

TEST(Learner, WhatIsThrownBetweenTakesNoStep) {
  Learner learner = still_learner(Schedule({.schedule = ScheduleKind::kConstant}, 1));
  EXPECT_THROW(learner.step({}, [](const BatchResult&) { throw std::runtime_error("diverged"); }), std::runtime_error);
  EXPECT_EQ(learner.engine().values()[0], 0);
  EXPECT_EQ(learner.state().step, 0u);
  EXPECT_EQ(learner.state().buffer("m")[0], 0);
}

}  // namespace
}  // namespace signstep
