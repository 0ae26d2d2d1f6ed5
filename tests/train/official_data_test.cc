// SPDX-License-Identifier: Apache-2.0
// One epoch on real images, where they are: the program learns.
#include <gtest/gtest.h>

#include <cstdlib>

#include "signstep/train/trainer.h"
#include "tests/data/fixtures.h"
#include "tests/train/engines_here.h"

namespace signstep {
namespace {

TEST(OfficialCifar10, OneEpochOfSignumBeatsFortyPercent) {
  const char* data = std::getenv("SIGNSTEP_CIFAR10");
  if (data == nullptr) GTEST_SKIP() << "SIGNSTEP_CIFAR10 names no folder with the official CIFAR-10";
  const TemporaryFolder folder;
  TrainOptions o;
  o.data = data;
  o.output = folder.path("run");
  o.network.width = 16;
  o.epochs = 1;
  TrainObserver silent;
  const TrainResult result = train(o, engines_here(), {}, silent);
  EXPECT_GT(result.last_epoch->test_accuracy, 40.0);
}

}  // namespace
}  // namespace signstep
