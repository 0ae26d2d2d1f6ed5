// SPDX-License-Identifier: Apache-2.0
// SGD's and Adam's steps by the device's kernels against the CPU's loops, bit for bit.
#include <gtest/gtest.h>

#include <bit>
#include <limits>
#include <memory>

#include "signstep/cuda/device_stepper.h"
#include "signstep/optim/rules/adam.h"
#include "signstep/optim/rules/sgd.h"
#include "tests/cuda/device_array.h"

namespace signstep {
namespace {

class BaselineTest : public DeviceTest {};

// Numbers of many sizes, some of them zero, tiny, NaN or infinite.
std::vector<float> numbers(size_t n, uint32_t seed, bool all_finite) {
  std::vector<float> out(n);
  uint32_t word = seed;
  for (float& value : out) {
    word = word * 1664525u + 1013904223u;
    value = std::ldexp(static_cast<float>(static_cast<int32_t>(word)), -31 - static_cast<int>(word % 23));
    if (word % 97 == 0) value = word % 2 == 0 ? 0.0f : 1e-42f;
    if (!all_finite && word % 101 == 0) value = std::numeric_limits<float>::infinity();
    if (!all_finite && word % 103 == 0) value = std::numeric_limits<float>::quiet_NaN();
  }
  return out;
}

std::vector<uint32_t> bits(std::span<const float> values) {
  std::vector<uint32_t> out;
  for (const float value : values) out.push_back(std::bit_cast<uint32_t>(value));
  return out;
}

// The tensors of one flat array with gaps between them; the first of them starts at `shift`.
std::vector<std::pair<size_t, size_t>> slots(size_t shift) {
  std::vector<std::pair<size_t, size_t>> out;
  size_t offset = shift;
  for (const size_t n : {0, 1, 3, 4, 5, 7, 8, 63, 64, 65, 1023, 1024, 1025, 4095, 4096, 4097, 0, 2 * 4096 + 1027}) {
    out.emplace_back(offset, n);
    offset += n + 4 - n % 4 + (n == 64 ? 1 : 0);  // from there on no address is a multiple of 16 bytes
  }
  return out;
}

// Three steps here and there, the arrays where `shift` says.
void expect_same_bits(
    const BaselineStep& step, size_t buffers, size_t shift,
    const std::function<uint64_t(std::span<float>, std::span<const float>, std::span<float>, std::span<float>)>& here) {
  const auto tensors = slots(shift);
  const size_t total = tensors.back().first + tensors.back().second + 3;
  std::vector<float> x = numbers(total, 1, true), m(total), v(total);
  DeviceArray<float> x_there(x), m_there(m), v_there(v);
  DeviceStepper stepper(0, nullptr);
  for (uint32_t k = 0; k < 3; ++k) {
    const std::vector<float> g = numbers(total, 7 + k, false);
    const DeviceArray<float> g_there(g);
    std::vector<BaselineTensor> there;
    std::vector<uint64_t> expected;
    for (const auto& [offset, n] : tensors) {
      there.push_back({x_there.data() + offset, g_there.data() + offset,
                       buffers > 0 ? m_there.data() + offset : nullptr, buffers > 1 ? v_there.data() + offset : nullptr,
                       n});
      const auto part = [&, at = offset, size = n](std::vector<float>& of) { return std::span(of).subspan(at, size); };
      expected.push_back(here(part(x), std::span(g).subspan(offset, n), buffers > 0 ? part(m) : std::span<float>(),
                              buffers > 1 ? part(v) : std::span<float>()));
    }
    std::vector<uint64_t> nonfinite(tensors.size(), 99);
    stepper.baseline(there, step, nonfinite);
    EXPECT_EQ(nonfinite, expected);
    ASSERT_EQ(bits(x_there.values()), bits(x)) << "step " << k;
    ASSERT_EQ(bits(m_there.values()), bits(m)) << "step " << k;
    ASSERT_EQ(bits(v_there.values()), bits(v)) << "step " << k;
  }
}

TEST_F(BaselineTest, SgdHasTheCpusBits) {
  for (const size_t shift : {0, 1})
    for (const HeavyBall& rule : {HeavyBall{.1f, 0, 0, 1, false}, HeavyBall{.1f, 0, 5e-4f, .999f, false},
                                  HeavyBall{.1f, .9f, 5e-4f, 1, false}, HeavyBall{.03f, .9f, 1e-3f, .99f, true}}) {
      SCOPED_TRACE(::testing::Message() << "momentum " << rule.momentum << ", nesterov " << rule.nesterov << ", shift "
                                        << shift);
      expect_same_bits(rule, rule.momentum > 0 ? 1 : 0, shift,
                       [&](auto x, auto g, auto m, auto) { return heavy_ball_step(rule, x, g, m); });
    }
}

TEST_F(BaselineTest, AdamHasTheCpusBits) {
  for (const size_t shift : {0, 1})
    for (const AdamStep& rule :
         {AdamStep{1e-3f, .9, .999, 1e-8f, 0, .999f, .1, .001}, AdamStep{1e-3f, .5, .99, 1e-3f, 1e-2f, 1, .5, .01}}) {
      SCOPED_TRACE(::testing::Message() << "beta1 " << rule.beta1 << ", shift " << shift);
      expect_same_bits(rounded(rule), 2, shift,
                       [&](auto x, auto g, auto m, auto v) { return adam_step(rule, x, g, m, v); });
    }
}

TEST_F(BaselineTest, NoTensorsAreNoStep) {
  DeviceStepper stepper(0, nullptr);
  EXPECT_NO_THROW(stepper.baseline({}, HeavyBall{.1f, 0, 0, 1, false}, {}));
}

}  // namespace
}  // namespace signstep
