// SPDX-License-Identifier: Apache-2.0
#include "signstep/kernels/sign_bits.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <numeric>

#include "signstep/parallel/pieces.h"
#include "signstep/parallel/thread_pool.h"
#include "tests/kernels/each_target.h"
#include "tests/kernels/tensor_list.h"

namespace signstep {
namespace {

const Stream kCoins(7, Purpose::kZeroCoin, 5, 3, 2);

TEST(SignBits, EveryTargetEqualsTheReferenceAndUnpacks) {
  const TensorList data({kPieceElements + 300}, 4, true);
  ThreadPool pool(2);
  std::vector<size_t> lengths(200);
  std::iota(lengths.begin(), lengths.end(), size_t{0});
  lengths.insert(lengths.end(), {1000, 4097, kPieceElements, kPieceElements + 200});
  for_each_target([&] {
    for (const size_t n : lengths) {
      for (const ZeroPolicy zero : {ZeroPolicy::kRandom, ZeroPolicy::kPlus}) {
        const std::span<const float> values(data.g.data() + n % 7, n);
        std::vector<uint64_t> words(sign_words(n), ~uint64_t{0}), expected(sign_words(n));
        EXPECT_EQ(pack_signs(values, zero, kCoins, words, pool), pack_signs_ref(values, zero, kCoins, expected));
        ASSERT_EQ(words, expected) << n;
        if (n % 64 != 0) {
          EXPECT_EQ(words.back() >> (n % 64), 0u) << "padding is zero";
        }

        std::vector<float> signs(n + 1), expected_signs(n + 1);
        unpack_signs(words, {signs.data(), n}, pool);
        unpack_signs_ref(words, {expected_signs.data(), n});
        ASSERT_TRUE(same_bits(signs, expected_signs));

        std::vector<float> x(data.x.begin(), data.x.begin() + static_cast<std::ptrdiff_t>(n + 1)), expected_x = x;
        apply_signs(words, 1e-3, 0.999, {x.data(), n}, pool);
        apply_signs_ref(words, 1e-3, 0.999, {expected_x.data(), n});
        ASSERT_TRUE(same_bits(x, expected_x));
      }
    }
  });
}

// Arrays larger than a cache are stored past it, where they begin at a vector's border.
TEST(SignBits, LargeArraysUnpackTheSame) {
  constexpr size_t kElements = (size_t{1} << 21) + 77;
  std::vector<uint64_t> words(sign_words(kElements));
  for (size_t w = 0; w < words.size(); ++w) words[w] = 0x9E3779B97F4A7C15u * (w + 1);
  std::vector<float> expected(kElements), space(kElements + 32);
  unpack_signs_ref(words, expected);
  const size_t border = (64 - reinterpret_cast<uintptr_t>(space.data()) % 64) % 64 / sizeof(float);
  ThreadPool pool(2);
  for_each_target([&] {
    for (const size_t shift : {size_t{0}, size_t{1}}) {
      std::fill(space.begin(), space.end(), 7.0f);
      const std::span<float> signs(space.data() + border + shift, kElements);
      unpack_signs(words, signs, pool);
      ASSERT_TRUE(std::ranges::equal(signs, expected)) << shift;
      EXPECT_EQ(signs.data()[kElements], 7.0f);
      EXPECT_TRUE(std::all_of(space.data(), signs.data(), [](float v) { return v == 7.0f; }));
    }
  });
}

TEST(SignBits, BitOrderZerosAndNonFiniteValues) {
  SerialExecutor serial;
  std::vector<float> values(65, -1.0f);
  values[0] = 1;
  values[63] = 1e-45f;
  values[64] = 2;
  std::vector<uint64_t> words(2);
  EXPECT_EQ(pack_signs(values, ZeroPolicy::kPlus, kCoins, words, serial), 0u);
  EXPECT_EQ(words, (std::vector<uint64_t>{uint64_t{1} << 63 | 1, 1}));

  values.assign(65, -1.0f);
  values[1] = 0.0f;
  values[2] = -0.0f;
  values[3] = -1e-45f;
  pack_signs(values, ZeroPolicy::kPlus, kCoins, words, serial);
  EXPECT_EQ(words[0], 6u);

  values.assign(65, std::numeric_limits<float>::quiet_NaN());
  values[0] = std::numeric_limits<float>::infinity();
  EXPECT_EQ(pack_signs(values, ZeroPolicy::kPlus, kCoins, words, serial), 65u);
  const PhiloxCounter coins = kCoins.group(0);
  EXPECT_EQ(words[0], uint64_t{coins[1]} << 32 | coins[0]);
  EXPECT_EQ(words[1], coins[2] & 1u);

  values.assign(65, -0.0f);
  std::vector<uint64_t> zeros(2);
  EXPECT_EQ(pack_signs(values, ZeroPolicy::kRandom, kCoins, zeros, serial), 0u);
  EXPECT_EQ(zeros, words) << "the same coins";
}

TEST(SignBits, AppliedSignsAreTheStepOfTheSignRule) {
  TensorList data({5000}, 9, false);
  SerialExecutor serial;
  std::vector<uint64_t> words(sign_words(5000));
  std::vector<float> x(data.x.begin(), data.x.begin() + 5000);
  pack_signs({data.g.data(), 5000}, ZeroPolicy::kPlus, kCoins, words, serial);
  apply_signs(words, 0.003, 0.9997, x, serial);
  StepTensor tensor = data.tensors()[0];
  SignStep step;
  step.lr = 0.003;
  step.decay_factor = 0.9997;
  step.zero = ZeroPolicy::kPlus;
  StepStatistics statistics;
  sign_step({&tensor, 1}, step, {&statistics, 1}, serial);
  EXPECT_EQ(first_difference(x.data(), tensor.x, 5000), 5000u);
}

// All 2^32 floats through packing and through a SignSGD step, on every target: minutes, hence opt-in.
TEST(SignBits, EveryFloat) {
  if (std::getenv("SIGNSTEP_SLOW") == nullptr) GTEST_SKIP() << "set SIGNSTEP_SLOW=1 to run all 2^32 floats";
  constexpr size_t kChunk = size_t{1} << 22;
  std::vector<float> values(kChunk), x(kChunk);
  std::vector<uint64_t> words(kChunk / 64);
  SerialExecutor serial;
  for_each_target([&] {
    uint64_t nonfinite = 0, stepped_nonfinite = 0;
    for (uint64_t first = 0; first < uint64_t{1} << 32; first += kChunk) {
      for (size_t i = 0; i < kChunk; ++i) values[i] = std::bit_cast<float>(static_cast<uint32_t>(first + i));
      nonfinite += pack_signs(values, ZeroPolicy::kPlus, kCoins, words, serial);
      std::fill(x.begin(), x.end(), 0.0f);
      StepTensor tensor;
      tensor.x = x.data();
      tensor.g = values.data();
      tensor.n = kChunk;
      SignStep step;
      step.lr = 1;
      StepStatistics statistics;
      sign_step({&tensor, 1}, step, {&statistics, 1}, serial);
      stepped_nonfinite += statistics.nonfinite;
      for (size_t i = 0; i < kChunk; ++i) {
        const uint32_t bits = static_cast<uint32_t>(first + i), magnitude = bits & 0x7FFFFFFFu;
        const bool negative = bits >> 31, plus = words[i / 64] >> (i % 64) & 1;
        if (magnitude >= 0x7F800000u) {
          ASSERT_EQ(x[i], 0) << std::hex << bits;
          continue;
        }
        ASSERT_EQ(plus, magnitude == 0 || !negative) << std::hex << bits;
        ASSERT_EQ(x[i], magnitude == 0 ? 0.0f : negative ? 1.0f : -1.0f) << std::hex << bits;
      }
    }
    EXPECT_EQ(nonfinite, uint64_t{1} << 24);
    EXPECT_EQ(stepped_nonfinite, uint64_t{1} << 24);
  });
}

}  // namespace
}  // namespace signstep
