// SPDX-License-Identifier: Apache-2.0
// Runs that go on for more epochs, that learn from fewer images, that blow up without becoming infinite.
#include <gmock/gmock.h>

#include "signstep/base/cpu.h"
#include "signstep/base/error.h"
#include "signstep/train/divergence.h"
#include "tests/support/message_of.h"
#include "tests/train/tiny_run.h"

namespace signstep {
namespace {

using testing::HasSubstr;

class LongerTest : public TrainTest {
 protected:
  TrainOptions constant(const std::string& name, int64_t epochs) const {
    TrainOptions o = options(name);
    o.schedule.schedule = ScheduleKind::kConstant;
    o.epochs = epochs;
    return o;
  }
};

TEST_F(LongerTest, MoreEpochsOfAConstantRunAreTheLongerRun) {
  run(constant("whole", 3));
  run(constant("run", 2));
  run(constant("run", 3), resuming());
  EXPECT_EQ(parameters("run"), parameters("whole"));
  EXPECT_EQ(figures("run"), figures("whole"));
  EXPECT_EQ(record("run")["options"]["epochs"], 3);
  EXPECT_EQ(record("run")["sessions"].size(), 2u);
  EXPECT_THROW(run(constant("run", 2), resuming()), CheckpointError) << "fewer were another run";
}

TEST_F(LongerTest, WhatFollowsFromTheLengthCannotBeLonger) {
  TrainOptions o = constant("run", 2);
  EXPECT_TRUE(can_be_longer(o));
  o.dither.dither = DitherKind::kRelative;  // annealed over the run
  EXPECT_FALSE(can_be_longer(o));
  o.dither.dither_shape = DitherShape::kConstant;
  EXPECT_TRUE(can_be_longer(o));
  o.switching.switch_when = SwitchWhen::kAt;
  EXPECT_FALSE(can_be_longer(o));
  o = constant("run", 2);
  o.schedule.warmup = 0.1;
  EXPECT_FALSE(can_be_longer(o));

  run(options("cosine"));
  TrainOptions longer = options("cosine");
  longer.epochs = 3;
  EXPECT_THAT(message_of<CheckpointError>([&] { run(longer, resuming()); }), HasSubstr("epochs '2'"));
}

TEST_F(LongerTest, FewerImages) {
  TrainOptions o = options("few");
  o.limit_train = 64;
  run(o);
  EXPECT_EQ(record("few")["data"]["train_images"], 64);
  EXPECT_EQ(figures("few").back()["step"], 4) << "two epochs of two batches";
  o.output = folder_.path("more");
  o.limit_train = 241;
  EXPECT_THAT(message_of<OptionError>([&] { run(o); }), HasSubstr("limit_train is 241 and there are 240 images"));
}

TEST_F(LongerTest, ALossThatStaysFiniteIsDivergedAllTheSame) {
  TrainOptions o = constant("run", 3);
  o.optimizer.set("optimizer", "sgd");
  o.optimizer.set("learning_rate", "30");
  EXPECT_THROW(run(o), DivergedError);
  EXPECT_EQ(record("run")["status"], "diverged");

  EXPECT_NO_THROW(require_bounded_loss(6.9, 8, 10, 3, 1)) << "3 ln(10) = 6.908";
  EXPECT_THAT(message_of<DivergedError>([] { require_bounded_loss(6.91, INFINITY, 10, 3, 1); }),
              HasSubstr("epoch 1 is 6.91, more than 3 times that of guessing (2.303)"));
  EXPECT_THAT(message_of<DivergedError>([] { require_bounded_loss(2.4, 0.5, 10, 3, 4); }),
              HasSubstr("epoch 4 is 2.4, more than 3 times the first epoch's (0.5)"));
  EXPECT_NO_THROW(require_bounded_loss(0.27, 0.08, 10, 3, 2)) << "from trained weights: far better than guessing";
  EXPECT_NO_THROW(require_bounded_loss(1e9, 0.5, 10, 0, 4));
}

TEST_F(LongerTest, MoreThreadsThanCoresAreSaid) {
  struct Heard : TrainObserver {
    std::string warnings;
    void warning(const std::string& text) override { warnings += text; }
  } heard;
  TrainOptions o = constant("run", 1);
  const auto cores = static_cast<int64_t>(cpu_features().threads);
  o.engine.threads = 2 * cores;
  o.limit_train = 32;
  train(o, engines_, {}, heard);
  EXPECT_THAT(heard.warnings, HasSubstr(fmt::format("{} threads on {} cores", 2 * cores, cores)));
}

}  // namespace
}  // namespace signstep
