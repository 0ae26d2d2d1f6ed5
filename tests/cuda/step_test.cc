// SPDX-License-Identifier: Apache-2.0
// Steps of the device's kernels against the scalar specification, bit for bit.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "signstep/cuda/device_steps.h"
#include "signstep/cuda/entries.h"
#include "signstep/kernels/sgd_kernel.h"
#include "signstep/kernels/sign_kernel.h"
#include "tests/cuda/device_array.h"
#include "tests/kernels/each_target.h"
#include "tests/kernels/step_cases.h"
#include "tests/kernels/tensor_list.h"

namespace signstep {
namespace {

class DeviceStep : public DeviceTest {};

// The bits of b are those of a; a NaN is any NaN, as a device makes its own.
::testing::AssertionResult same(const std::vector<float>& a, const std::vector<float>& b) {
  for (size_t i = 0; i < a.size(); ++i)
    if (std::memcmp(&a[i], &b[i], sizeof(float)) != 0 && !(std::isnan(a[i]) && std::isnan(b[i])))
      return ::testing::AssertionFailure() << "element " << i << ": " << a[i] << " and " << b[i];
  return ::testing::AssertionSuccess();
}

std::vector<size_t> lengths_around_edges() {
  return {0,
          1,
          2,
          7,
          8,
          9,
          15,
          16,
          17,
          31,
          32,
          33,
          63,
          0,
          64,
          65,
          127,
          128,
          255,
          256,
          257,
          2047,
          2048,
          2049,
          4095,
          4096,
          4097,
          0,
          2 * 4096 + 2055,
          3 * 4096};
}

// The arrays of a TensorList on the device, with tensors and entries that lie there as they lie on the CPU.
struct OnDevice {
  explicit OnDevice(const TensorList& list) : x(list.x), g(list.g), m(list.m), maximum(list.maximum) {}

  template <class Step, class MakeEntry>
  auto entries(TensorList& list, std::vector<StepTensor> tensors, const Step& step, MakeEntry&& make_entry) const {
    std::vector<decltype(make_entry(DeviceArrays(), StepTensor(), step))> out;
    for (StepTensor& t : tensors) {
      DeviceArrays arrays;
      arrays.x = x.data() + (t.x - list.x.data());
      arrays.g = g.data() + (t.g - list.g.data());
      if (t.m != nullptr) t.m = m.data() + (t.m - list.m.data());
      if (t.maximum != nullptr) t.maximum = maximum.data() + (t.maximum - list.maximum.data());
      out.push_back(make_entry(arrays, t, step));
    }
    return out;
  }

  DeviceArray<float> x, g, m, maximum;
};

void expect_equal_to_reference(const TensorList& original, const StepCase& c, bool measure) {
  SCOPED_TRACE(c.name);
  TensorList expected = original;
  const OnDevice arrays(original);
  std::vector<StepTensor> tensors = prepare(expected, c);
  std::vector<StepStatistics> want(tensors.size());
  DeviceSteps steps(0);
  steps.set(arrays.entries(expected, tensors, c.step, sign_entry), measure);
  steps.launch(nullptr);
  measure ? sign_measure_ref(tensors, c.step, want) : sign_step_ref(tensors, c.step, want);
  const std::span<const StepStatistics> got = steps.read();
  ASSERT_EQ(got.size(), want.size());
  ASSERT_TRUE(same(arrays.x.values(), expected.x));
  ASSERT_TRUE(same(arrays.m.values(), expected.m));
  ASSERT_TRUE(same(arrays.maximum.values(), expected.maximum));
  for (size_t t = 0; t < want.size(); ++t) {
    SCOPED_TRACE(t);
    expect_same(got[t], want[t]);
  }
}

TEST_F(DeviceStep, EveryRuleEqualsTheReference) {
  const TensorList original(lengths_around_edges(), 11, true);
  for (const StepCase& c : every_step_case()) {
    expect_equal_to_reference(original, c, false);
    if (HasFailure()) return;
  }
}

TEST_F(DeviceStep, MeasureEqualsTheReferenceAndTouchesNothing) {
  const TensorList original({0, 5, 48, 4097, 2 * 4096}, 12, true);
  for (StepCase c : every_step_case()) {
    c.step.sums = StepSums::kSquare;
    expect_equal_to_reference(original, c, true);
    if (HasFailure()) return;
  }
}

// More partials than a block of threads adds at once, and arrays that start where vectors may be loaded.
TEST_F(DeviceStep, LongTensorsAddInTheSameOrder) {
  const size_t long_one = 66 * kPartialElements + 4099;
  SequentialRandom random(Stream(3, Purpose::kInit));
  std::vector<float> x(long_one), g(long_one), m(long_one);
  for (size_t i = 0; i < long_one; ++i) {
    const uint32_t word = random.next();
    g[i] = std::bit_cast<float>((word & 0x807FFFFFu) | 124u << 23);
    x[i] = 0.25f, m[i] = std::bit_cast<float>((word << 9 & 0x807FFFFFu) | 125u << 23);
  }
  const DeviceArray<float> device_x(x), device_g(g), device_m(m);
  StepTensor t;
  t.x = x.data(), t.g = g.data(), t.m = m.data(), t.n = long_one, t.sigma = 0.3;
  SignStep step;
  step.b1 = step.b2 = 0.9, step.lr = 0.01, step.sums = StepSums::kAll;
  StepTensor there = t;
  there.m = device_m.data();
  DeviceSteps steps(0);
  steps.set(std::vector{sign_entry({.x = device_x.data(), .g = device_g.data()}, there, step)}, false);
  steps.launch(nullptr);
  StepStatistics want;
  sign_step_ref({&t, 1}, step, {&want, 1});
  expect_same(steps.read()[0], want);
  EXPECT_TRUE(same(device_x.values(), x));
  EXPECT_TRUE(same(device_m.values(), m));
}

TEST_F(DeviceStep, DitherOfAnyScaleEqualsTheReference) {
  for (StepCase c : every_step_case()) {
    if (c.sigma == 0 || c.step.sums != StepSums::kNone || c.step.zero != ZeroPolicy::kSkip) continue;
    for (const float sigma : {1e-45f, 1e-40f, 0x1p-126f, 1e-20f, 1e20f, 3e38f}) {
      TensorList original({1000}, 8, true);
      for (float& g : original.g) g *= sigma * 16;
      for (float& m : original.m) m *= sigma * 16;
      c.sigma = sigma;
      expect_equal_to_reference(original, c, false);
    }
    if (HasFailure()) return;
  }
}

// The definition decides about one draw in 3000 alone; here it does in thousands.
TEST_F(DeviceStep, DrawsThatTheFilterLeavesOpenAreTheDefinitions) {
  const size_t n = 1 << 22;
  std::vector<float> x(n), g(n);
  SequentialRandom random(Stream(4, Purpose::kInit));
  for (float& value : g) value = static_cast<float>(random.uniform() * 8 - 4);
  for (const DitherNoise noise : {DitherNoise::kGaussian, DitherNoise::kUniform}) {
    std::fill(x.begin(), x.end(), 0.0f);
    const DeviceArray<float> device_x(x), device_g(g);
    StepTensor t;
    t.x = x.data(), t.g = g.data(), t.n = n, t.sigma = 1.5;
    SignStep step;
    step.lr = 1, step.noise = noise;
    DeviceSteps steps(0);
    steps.set(std::vector{sign_entry({.x = device_x.data(), .g = device_g.data()}, t, step)}, false);
    steps.launch(nullptr);
    StepStatistics want;
    sign_step_ref({&t, 1}, step, {&want, 1});
    EXPECT_TRUE(same(device_x.values(), x));
  }
}

TEST_F(DeviceStep, TheSgdPhaseEqualsTheReference) {
  const TensorList original(lengths_around_edges(), 21, true);
  for (const double mu : {0.0, 0.9})
    for (const double l2 : {0.0, 0.01})
      for (const bool state : {true, false}) {
        if (!state && mu != 0) continue;
        const SgdPhaseStep step{.mu = mu, .decay_factor = 0.999, .l2 = l2};
        TensorList expected = original;
        std::vector<StepTensor> tensors = expected.tensors();
        for (StepTensor& t : tensors) {
          t.sgd_rate = 0.1 + 0.01 * t.index;
          if (!state) t.m = nullptr;
        }
        const OnDevice arrays(original);
        DeviceSteps steps(0);
        steps.set(std::span<const SgdEntry>(arrays.entries(expected, tensors, step, sgd_entry)));
        steps.launch(nullptr);
        std::vector<StepStatistics> want(tensors.size());
        sgd_phase_step_ref(tensors, step, want);
        EXPECT_TRUE(same(arrays.x.values(), expected.x));
        EXPECT_TRUE(same(arrays.m.values(), expected.m));
        for (size_t t = 0; t < want.size(); ++t) expect_same(steps.read()[t], want[t]);
      }
}

TEST_F(DeviceStep, ATableIsSetAndLaunchedAgain) {
  const TensorList original({100, 5000}, 31, false);
  TensorList expected = original;
  const OnDevice arrays(original);
  DeviceSteps steps(0);
  std::vector<StepStatistics> want(2);
  for (uint64_t t = 0; t < 5; ++t) {
    SignStep step;
    step.b1 = step.b2 = 0.9, step.lr = 0.1, step.step = t;
    step.sums = t % 2 == 0 ? StepSums::kNone : StepSums::kAll;
    std::vector<StepTensor> tensors = expected.tensors();
    if (t == 3) tensors.pop_back();
    steps.set(arrays.entries(expected, tensors, step, sign_entry), false);
    steps.launch(nullptr);
    want.resize(tensors.size());
    sign_step_ref(tensors, step, want);
    ASSERT_EQ(steps.read().size(), tensors.size());
    for (size_t k = 0; k < want.size(); ++k) expect_same(steps.read()[k], want[k]);
  }
  // Launched twice as it is: what a replay of a graph does.
  TensorList again = expected;
  steps.launch(nullptr);
  steps.launch(nullptr);
  SignStep step;
  step.b1 = step.b2 = 0.9, step.lr = 0.1, step.step = 4;
  for (int k = 0; k < 2; ++k) sign_step_ref(again.tensors(), step, want);
  for (size_t k = 0; k < want.size(); ++k) EXPECT_EQ(steps.read()[k].finite, want[k].finite);
  EXPECT_TRUE(same(arrays.x.values(), again.x));
}

TEST_F(DeviceStep, NothingAtAllIsAStep) {
  DeviceSteps steps(0);
  EXPECT_THROW(steps.launch(nullptr), OptionError);
  steps.set(std::span<const SignEntry>(), false);
  steps.launch(nullptr);
  EXPECT_TRUE(steps.read().empty());
  EXPECT_THROW(DeviceSteps(-1), OptionError);
  EXPECT_THROW(DeviceSteps(4096), OptionError);
}

}  // namespace
}  // namespace signstep
