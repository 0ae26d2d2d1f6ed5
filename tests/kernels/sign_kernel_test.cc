// SPDX-License-Identifier: Apache-2.0
// The vector kernel against the scalar specification, bit for bit.
#include "signstep/kernels/sign_kernel.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "signstep/base/error.h"
#include "signstep/parallel/thread_pool.h"
#include "tests/kernels/each_target.h"
#include "tests/kernels/step_cases.h"
#include "tests/kernels/tensor_list.h"

namespace signstep {
namespace {

void expect_equal_to_reference(const std::vector<size_t>& lengths, size_t threads, bool measure) {
  ThreadPool pool(threads);
  const TensorList original(lengths, 11, true);
  for (const StepCase& c : every_step_case()) {
    SCOPED_TRACE(c.name);
    TensorList expected = original, actual = original;
    std::vector<StepStatistics> want(lengths.size()), got(lengths.size());
    if (measure) {
      sign_measure_ref(prepare(expected, c), c.step, want);
      sign_measure(prepare(actual, c), c.step, got, pool);
    } else {
      sign_step_ref(prepare(expected, c), c.step, want);
      sign_step(prepare(actual, c), c.step, got, pool);
    }
    ASSERT_TRUE(same_bits(actual.x, expected.x));
    ASSERT_TRUE(same_bits(actual.m, expected.m));
    ASSERT_TRUE(same_bits(actual.maximum, expected.maximum));
    for (size_t t = 0; t < lengths.size(); ++t) expect_same(got[t], want[t]);
    if (testing::Test::HasFailure()) return;
  }
}

TEST(SignKernel, EveryTargetAndRuleEqualsTheReference) {
  std::vector<size_t> lengths = awkward_lengths();
  lengths.pop_back();  // the long one is in the next test
  for_each_target([&] { expect_equal_to_reference(lengths, 1, false); });
}

TEST(SignKernel, MeasureEqualsTheReference) {
  for_each_target([&] { expect_equal_to_reference({0, 5, 48, 4097}, 2, true); });
}

TEST(SignKernel, ThreadsDoNotMatter) {
  const std::vector<size_t> lengths = {7, 2 * kPartialElements + 3, 4096, 0, kPartialElements};
  const TensorList original(lengths, 5, true);
  for (const auto& [sigma, place] :
       {std::pair{0.0f, kPlaces[0]}, {0.1f, kPlaces[0]}, {0.1f, kPlaces[3]}, {1.0f, kPlaces[7]}}) {
    StepCase c;
    c.step.dither_on = place.on;
    c.step.noise = place.noise;
    c.scaled = place.scaled;
    c.step.b1 = c.step.b2 = 0.9f;
    c.step.lr = 0.001f;
    c.step.sums = StepSums::kAll;
    c.sigma = sigma;
    TensorList expected = original;
    std::vector<StepStatistics> want(lengths.size()), got(lengths.size());
    sign_step_ref(prepare(expected, c), c.step, want);
    for_each_target([&] {
      for (const size_t threads : {1, 2, 3, 8}) {
        ThreadPool pool(threads);
        TensorList actual = original;
        sign_step(prepare(actual, c), c.step, got, pool);
        ASSERT_TRUE(same_bits(actual.x, expected.x));
        ASSERT_TRUE(same_bits(actual.m, expected.m));
        for (size_t t = 0; t < lengths.size(); ++t) expect_same(got[t], want[t]);
      }
    });
  }
}

// Gradients that undo the momentum to within an ulp: the sign then hangs on the last bit of m, so one contracted
// multiply-add anywhere would show within a few steps.
TEST(SignKernel, AThousandStepsWithMomentaNearZero) {
  const std::vector<size_t> lengths = {777};
  for_each_target([&] {
    SerialExecutor serial;
    TensorList expected(lengths, 8, false), actual(lengths, 8, false);
    SignStep step;
    step.b1 = step.b2 = 0.9f;
    step.lr = 0.001f;
    step.decay_factor = 0.9999f;
    step.sums = StepSums::kAll;
    for (step.step = 0; step.step < 1000; ++step.step) {
      SequentialRandom random(Stream(9, Purpose::kInit, step.step));
      for (size_t i = 0; i < expected.g.size(); ++i) {
        const float undo = -0.9f * expected.m[i] / 0.1f;
        expected.g[i] = actual.g[i] =
            undo * (1.0f + static_cast<float>(random.below(5)) * 0x1p-24f) + (step.step % 50 == 0 ? 0.01f : 0.0f);
      }
      StepStatistics want, got;
      sign_step_ref(expected.tensors(), step, {&want, 1});
      sign_step(actual.tensors(), step, {&got, 1}, serial);
      ASSERT_TRUE(same_bits(actual.x, expected.x)) << "step " << step.step;
      ASSERT_TRUE(same_bits(actual.m, expected.m)) << "step " << step.step;
      expect_same(got, want);
    }
  });
}

// Tiny and huge sigma, where the reciprocal of the filter is no normal number.
TEST(SignKernel, DitherOfAnyScaleEqualsTheReference) {
  const std::vector<size_t> lengths = {1000};
  for_each_target([&] {
    SerialExecutor serial;
    for (const Place& place : kPlaces)
      for (const float sigma : {1e-45f, 1e-40f, 0x1p-126f, 1e-20f, 1e20f, 3e38f}) {
        TensorList expected(lengths, 8, true), actual(lengths, 8, true);
        for (auto* list : {&expected, &actual})
          for (float& g : list->g) g *= sigma * 16;
        StepCase c;
        c.step.dither_on = place.on;
        c.step.noise = place.noise;
        c.scaled = place.scaled;
        c.state = false;
        c.sigma = sigma;
        c.step.lr = 1;
        StepStatistics want, got;
        sign_step_ref(prepare(expected, c), c.step, {&want, 1});
        sign_step(prepare(actual, c), c.step, {&got, 1}, serial);
        ASSERT_TRUE(same_bits(actual.x, expected.x)) << sigma << ", placement " << int(place.on);
      }
  });
}

TEST(SignKernel, WhatDoesNotFitTheCounterIsAnErrorBeforeAnythingIsTouched) {
  float x[2] = {1, 2}, g[2] = {1, 1};
  std::vector<StepTensor> tensors(2);
  for (int i = 0; i < 2; ++i) {
    tensors[i].x = x + i;
    tensors[i].g = g + i;
    tensors[i].n = 1;
  }
  tensors[1].index = 1u << 24;
  StepStatistics statistics[2];
  SerialExecutor serial;
  SignStep step;
  step.lr = 1;
  EXPECT_THROW(sign_step(tensors, step, statistics, serial), OptionError);
  EXPECT_EQ(x[0], 1);
  tensors[1].index = 1;
  tensors[1].n = size_t{1} << 34;
  EXPECT_THROW(sign_step(tensors, step, statistics, serial), OptionError);
  EXPECT_THROW(sign_measure(tensors, step, statistics, serial), OptionError);
  EXPECT_EQ(x[0], 1);
}

}  // namespace
}  // namespace signstep
