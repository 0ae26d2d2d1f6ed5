// SPDX-License-Identifier: Apache-2.0
// When the test images are measured changes what is known of a run, and nothing in it.
#include <gtest/gtest.h>

#include "tests/train/tiny_run.h"

namespace signstep {
namespace {

class TestWhenTest : public TrainTest {
 protected:
  TrainOptions measured(const std::string& name, TestWhen when) const {
    TrainOptions o = options(name);
    o.test_when = when;
    return o;
  }

  // Which epochs have an accuracy of the test images, as their numbers; every one has one of the validation images.
  std::vector<int> tested(const std::string& name) const {
    std::vector<int> epochs;
    for (const auto& line : figures(name)) {
      EXPECT_TRUE(line["validation_accuracy"].is_number()) << line;
      EXPECT_EQ(line["test_accuracy"].is_null(), line["test_loss"].is_null()) << line;
      if (!line["test_accuracy"].is_null()) epochs.push_back(line["epoch"]);
    }
    return epochs;
  }
};

TEST_F(TestWhenTest, TheWeightsAndTheFiguresAreTheSame) {
  run(measured("epoch", TestWhen::kEpoch));
  run(measured("end", TestWhen::kEnd));
  const TrainResult never = run(measured("never", TestWhen::kNever));
  EXPECT_EQ(tested("epoch"), (std::vector{1, 2}));
  EXPECT_EQ(tested("end"), std::vector{2});
  EXPECT_EQ(tested("never"), std::vector<int>());
  EXPECT_EQ(figures("end")[1], figures("epoch")[1]);
  EXPECT_EQ(parameters("end"), parameters("epoch"));
  EXPECT_EQ(parameters("never"), parameters("epoch"));
  EXPECT_TRUE(std::isnan(never.last_epoch->test_accuracy));
  EXPECT_EQ(record("never")["last_epoch"]["test_accuracy"], nullptr);
}

TEST_F(TestWhenTest, AResumedRunMayChangeIt) {
  run(measured("whole", TestWhen::kEpoch));
  run(measured("run", TestWhen::kNever), stop_after(10));  // 8 steps an epoch
  run(measured("run", TestWhen::kEnd), resuming());
  EXPECT_EQ(tested("run"), std::vector{2});
  EXPECT_EQ(figures("run")[1], figures("whole")[1]);
  EXPECT_EQ(parameters("run"), parameters("whole"));
}

}  // namespace
}  // namespace signstep
