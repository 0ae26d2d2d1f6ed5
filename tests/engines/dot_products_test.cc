// SPDX-License-Identifier: Apache-2.0
// What the vector unit's products round.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <iterator>

#include "signstep/engines/amx/fast_kernels.h"
#include "tests/engines/amx_fixtures.h"

namespace signstep::amx {
namespace {

// What makes a run of avx512 the same on processors of both makers (Intel 64 and IA-32 Architectures Software
// Developer's Manual, volume 2, VDPBF16PS): of each pair the second product is added first, each sum is rounded.
TEST(DotProducts, AddInTheOrderThatIsLaidDown) {
  const Kernels* const kernels = avx512_kernels();
  if (kernels == nullptr) GTEST_SKIP() << "this processor has no AVX-512";
  const Shape shape{1, 32, 16, 1, 1, 1, 1};
  const Tensor x(1, 1, 32, 1), y(1, 1, 16);
  const auto weights = random_floats(16 * 32, 2);
  const Packed packed(reference_kernels(), weights, shape);
  const Terms terms = Terms::forward({1, 1, 1, 1});
  const Source source{x.tiles, packed.forward.as<Bf16>(), 1, &terms, 32, 16};
  std::vector<float> sums(static_cast<size_t>(kSums));
  kernels->conv({{&source, 1}, y.tiles, 1, 1, sums.data()}, {0, 0, 1, 0, 1});
  for (int64_t c = 0; c < 16; ++c) {
    float expected = 0;
    for (int64_t k = 0; k < 32; k += 2)
      for (const int64_t in : {k + 1, k})
        expected += widen(narrow(weights[static_cast<size_t>(c * 32 + in)])) * widen(x.at(0, 0, in));
    EXPECT_EQ(sums[static_cast<size_t>(c)], expected) << c;  // the pivot: the first image's
  }
}

// Of every size that bf16 and float have: what is denormal counts as 0 for either, what overflows is infinite.
TEST(DotProducts, HaveTheBitsOfTwoFusedMultiplyAdds) {
  const Kernels* const kernels[] = {avx512_kernels(VectorProducts::kDots), avx512_kernels(VectorProducts::kFused)};
  if (kernels[0] == nullptr) GTEST_SKIP() << "this processor has no bf16 dot products";
  const Geometry one_pixel{1, 1, 1, 1};
  const Terms terms = Terms::forward(one_pixel);
  const Bands bands(one_pixel);
  const Arena scratch(static_cast<size_t>(weight_gradient_scratch(bands)));
  for (const int64_t channels : {16, 32, 64})
    for (uint64_t seed = 1; seed <= 60; ++seed) {
      SequentialRandom random(Stream(seed, Purpose::kProblem));
      const double spread = 90.0 / static_cast<double>(seed);  // of the exponents
      const auto any = [&] {
        const double exponent = std::clamp(random.normal() * spread, -140.0, 120.0);
        return static_cast<float>(std::ldexp(random.normal(), static_cast<int>(exponent)));
      };
      const Tensor x(32, 1, channels), dy(32, 1, channels);
      for (const Tensor* tensor : {&x, &dy})
        for (int64_t n = 0; n < 32; ++n)
          for (int64_t c = 0; c < channels; ++c) tensor->at(n, 0, c) = narrow(any());
      std::vector<float> weights(static_cast<size_t>(channels * channels));
      for (float& w : weights) w = any();
      const Packed packed(reference_kernels(), weights, {1, channels, channels, 1, 1, 1, 1});
      const Source source{x.tiles, packed.forward.as<Bf16>(), 1, &terms, channels, channels};
      const auto blocks = static_cast<size_t>(x.tiles.blocks);
      std::vector<float> results[2];
      for (size_t k = 0; k < 2; ++k) {
        const Tensor y(32, 1, channels);
        std::vector<float> sums(blocks * kSums), partial(blocks * blocks * kUnit), gradient(weights.size());
        kernels[k]->conv({{&source, 1}, y.tiles, 1, 1, sums.data()}, {0, 0, 1, 0, y.tiles.blocks});
        const WeightGradientJob job{x.tiles,        dy.tiles,        &bands,   1,       1,
                                    partial.data(), gradient.data(), channels, channels};
        for (int64_t column = 0; column < weight_gradient_columns(dy.tiles.blocks); ++column)
          kernels[k]->weight_gradient(job, column, 0, scratch.as<std::byte>());
        for (int64_t block = 0; block < dy.tiles.blocks; ++block) kernels[k]->sum_weight_gradient(job, block);
        results[k] = gradient;
        results[k].insert(results[k].end(), sums.begin(), sums.end());
        for (int64_t i = 0; i < y.tiles.size(); ++i) results[k].push_back(widen(y.tiles.data[i]));
      }
      for (size_t i = 0; i < results[0].size(); ++i) {
        const float dots = results[0][i], fused = results[1][i];
        if (std::isnan(dots) && std::isnan(fused)) continue;
        ASSERT_EQ(std::bit_cast<uint32_t>(dots), std::bit_cast<uint32_t>(fused))
            << channels << ", " << seed << ", " << i;
      }
    }
}

// Every kind of float, as weights that are packed.
TEST(Bf16, IsConvertedToByHandAsByTheInstruction) {
  const Kernels* const kernels = avx512_kernels(VectorProducts::kDots);
  if (kernels == nullptr) GTEST_SKIP() << "this processor has no bf16";
  constexpr int64_t kOut = 64, kIn = 4096;
  std::vector<float> weights(kOut * kIn);
  SequentialRandom random(Stream(1, Purpose::kProblem));
  for (size_t i = 0; i < weights.size(); ++i) {
    constexpr uint32_t kEdges[] = {0x00000000, 0x007fffff, 0x00800000, 0x3f808000, 0x3f818000, 0x3f808001, 0x3f807fff,
                                   0x7f7f7fff, 0x7f7f8000, 0x7f7fffff, 0x7f800000, 0x7f800001, 0x7fbfffff, 0x7fc00000};
    const uint32_t edge = kEdges[i / 2 % std::size(kEdges)] | (i % 2) << 31;
    weights[i] = std::bit_cast<float>(i < 1000 ? edge : random.next());
  }
  const Shape shape{1, kIn, kOut, 1, 1, 1, 1};
  const Packed by_instruction(*kernels, weights, shape);
  convert_to_bf16_by_hand(true);
  const Packed by_hand(*avx512_kernels(VectorProducts::kDots), weights, shape);
  convert_to_bf16_by_hand(false);
  avx512_kernels(VectorProducts::kDots);
  EXPECT_EQ(std::memcmp(by_instruction.forward.as<Bf16>(), by_hand.forward.as<Bf16>(), Packed::bytes(shape)), 0);
  EXPECT_EQ(std::memcmp(by_instruction.backward.as<Bf16>(), by_hand.backward.as<Bf16>(), Packed::bytes(shape)), 0);
  EXPECT_EQ(widen(by_hand.forward.as<Bf16>()[0]), 0);
}

}  // namespace
}  // namespace signstep::amx
