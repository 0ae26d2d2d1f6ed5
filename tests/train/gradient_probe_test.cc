// SPDX-License-Identifier: Apache-2.0
#include "signstep/train/gradient_probe.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>

#include "signstep/data/catalog.h"
#include "signstep/kernels/reduce.h"
#include "signstep/parallel/thread_pool.h"
#include "signstep/theory/moments.h"
#include "tests/data/fixtures.h"
#include "tests/train/engines_here.h"

namespace signstep {
namespace {

TEST(GradientPair, IsWhatItsDefinitionSays) {
  SerialExecutor serial;
  const std::vector<float> g1 = {1, -2, 0, 3, -4, 0}, g2 = {2, 1, 5, 1, -0.5f, 0};  // the last one is a gap
  const GradientPair pair = compare_gradients(g1, g2, 5, serial);
  EXPECT_EQ(pair.signal, 2 - 2 + 3 + 2);
  EXPECT_EQ(pair.squared_norm, 30);
  EXPECT_EQ(pair.noise(), 25);
  EXPECT_EQ(pair.agreement, 3 / 4.0);
  EXPECT_EQ(pair.density, 100.0 / (5 * 30));
}

TEST(GradientPair, IsTheSameForAnyThreadsAndWithTinyValues) {
  std::vector<float> g1(700001), g2(g1.size());
  SequentialRandom random(Stream(1, Purpose::kSample));
  for (size_t i = 0; i < g1.size(); ++i) {
    g1[i] = static_cast<float>(1e-38 * random.normal());  // some are denormal, and no product is a float
    g2[i] = static_cast<float>(1e-38 * random.normal());
  }
  SerialExecutor serial;
  ThreadPool pool(3);
  const GradientPair a = compare_gradients(g1, g2, g1.size(), serial), b = compare_gradients(g1, g2, g1.size(), pool);
  EXPECT_EQ(a.signal, b.signal);
  EXPECT_EQ(a.squared_norm, b.squared_norm);
  EXPECT_EQ(a.agreement, b.agreement);
  EXPECT_EQ(a.density, b.density);
  EXPECT_NEAR(a.agreement, 0.5, 3e-3);                // five standard errors
  EXPECT_NEAR(a.density, 2 / std::acos(-1.0), 3e-3);  // of a Gaussian
}

TEST(GradientPair, WhatIsNotFiniteIsLoggedAsNull) {
  SerialExecutor serial;
  ProbePairs pairs;
  const std::vector<float> zero(4), nan(4, std::numeric_limits<float>::quiet_NaN());
  append_pair(pairs, 7, compare_gradients(zero, zero, 4, serial), 0.5);
  append_pair(pairs, 8, compare_gradients(zero, nan, 4, serial), 0.5);
  EXPECT_EQ(fields_json(pairs),
            nlohmann::ordered_json::parse(R"({"step": [7, 8], "signal": [0.0, null], "squared_norm": [0.0, 0.0],
      "noise": [0.0, null], "agreement": [null, null], "density": [null, null], "seconds": [0.5, 0.5]})"));
}

class GradientProbeTest : public testing::Test {
 protected:
  GradientProbeTest() : set_(fixture_images(3, 32, 10, 64, 1)), all_(set_.count()) {
    std::iota(all_.begin(), all_.end(), 0u);
  }

  static std::unique_ptr<Engine> engine(NormKind norm) {
    const Network network = make_network({.width = 4, .norm = norm}, 3, 10);
    auto engine = choose_engine(engines_here(), {.precision = Precision::kFp32, .threads = 1}, network).make(network);
    initialize(engine->network(), 1, engine->values(), engine->buffers());
    return engine;
  }

  static std::vector<float> copy(std::span<const float> values) { return {values.begin(), values.end()}; }

  const ImageSet set_;
  std::vector<uint32_t> all_;
  const Normalization normalization_ = find_dataset("cifar10").normalization;
};

// Group norm treats every image for itself, so that the gradient of all images is the exact mean of the batches'.
TEST_F(GradientProbeTest, SignalAndNoiseAreUnbiased) {
  const auto network = engine(NormKind::kGroup);
  Loader whole(set_, all_, normalization_, {.batch = set_.count()});
  Batch batch;
  whole.start_epoch(0);
  whole.next(batch);
  network->forward_backward(batch);
  const std::vector<float> g = copy(network->gradients());
  const double truth = sum_of_squares_ref(g);

  const LoaderOptions training{.batch = 4, .seed = 5, .shuffle = true};
  Loader loader(set_, all_, normalization_, training);
  GradientProbe probe(set_, all_, normalization_, training);
  Moments signal, noise, distance;
  uint64_t step = 0;
  for (uint64_t epoch = 0; epoch < 12; ++epoch) {
    for (loader.start_epoch(epoch); loader.next(batch);) {
      network->forward_backward(batch);
      const GradientPair pair = probe.measure(*network, batch.count, ++step);
      signal.add(pair.signal);
      noise.add(pair.noise());
      std::vector<float> off = copy(network->gradients());
      for (size_t i = 0; i < g.size(); ++i) off[i] -= g[i];
      distance.add(sum_of_squares_ref(off));  // |g1 - g|^2, which needs g
    }
  }
  EXPECT_NEAR(signal.mean, truth, 4 * signal.standard_error());
  EXPECT_LT(signal.standard_error(), truth / 4);  // or the line above would say little
  EXPECT_NEAR(noise.mean, distance.mean, 4 * std::hypot(noise.standard_error(), distance.standard_error()));
  EXPECT_GT(noise.mean, 8 * noise.standard_error());
}

TEST_F(GradientProbeTest, LeavesNoTraceAndDependsOnSeedAndStepAlone) {
  const LoaderOptions training{.batch = 16, .seed = 2, .shuffle = true, .augment = {.crop = true, .flip = true}};
  const auto network = engine(NormKind::kBatch);
  Loader loader(set_, all_, normalization_, training);
  Batch batch;
  loader.start_epoch(0);
  loader.next(batch);
  network->forward_backward(batch);
  const auto values = copy(network->values()), gradients = copy(network->gradients()),
             buffers = copy(network->buffers());
  GradientProbe probe(set_, all_, normalization_, training), other(set_, all_, normalization_, training);
  const GradientPair first = probe.measure(*network, 16, 3);
  probe.measure(*network, 5, 4);  // a smaller batch in between
  EXPECT_EQ(probe.measure(*network, 16, 3).signal, first.signal);
  EXPECT_EQ(other.measure(*network, 16, 3).signal, first.signal);
  EXPECT_NE(other.measure(*network, 16, 4).signal, first.signal);
  EXPECT_EQ(copy(network->values()), values);
  EXPECT_EQ(copy(network->gradients()), gradients);
  EXPECT_EQ(copy(network->buffers()), buffers);
}

}  // namespace
}  // namespace signstep
