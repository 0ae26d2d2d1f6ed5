// SPDX-License-Identifier: Apache-2.0
// One epoch on real images, where they are: the program learns.
#include <gtest/gtest.h>

#include <cstdlib>
#include <optional>

#include "signstep/train/trainer.h"
#include "tests/data/fixtures.h"
#include "tests/train/engines_here.h"

namespace signstep {
namespace {

// Test accuracy (%) after an epoch of Signum on the official images in the folder that the variable names; none where
// it names none.
std::optional<double> one_epoch(const char* variable, TrainOptions o) {
  const char* data = std::getenv(variable);
  if (data == nullptr) return std::nullopt;
  const TemporaryFolder folder;
  o.data = data;
  o.output = folder.path("run");
  o.epochs = 1;
  TrainObserver silent;
  return train(o, engines_here(), {}, silent).last_epoch->test_accuracy;
}

TEST(OfficialCifar10, OneEpochOfSignumBeatsFortyPercent) {
  TrainOptions o;
  o.network.width = 16;
  const auto accuracy = one_epoch("SIGNSTEP_CIFAR10", o);
  if (!accuracy) GTEST_SKIP() << "SIGNSTEP_CIFAR10 names no folder with the official CIFAR-10";
  EXPECT_GT(*accuracy, 40.0);
}

// A guess is right in 1 of 100.
TEST(OfficialCifar100, OneEpochOfSignumBeatsSixPercent) {
  TrainOptions o;
  o.dataset = "cifar100";
  o.network.width = 8;
  const auto accuracy = one_epoch("SIGNSTEP_CIFAR100", o);
  if (!accuracy) GTEST_SKIP() << "SIGNSTEP_CIFAR100 names no folder with the official CIFAR-100";
  EXPECT_GT(*accuracy, 6.0);
}

}  // namespace
}  // namespace signstep
