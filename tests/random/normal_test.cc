// SPDX-License-Identifier: Apache-2.0
#include "signstep/random/normal.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "tests/kernels/each_target.h"

namespace signstep {
namespace {

TEST(Normal, EveryTargetEqualsTheReference) {
  const Stream stream(3, Purpose::kGaussian, 4, 5, 6);
  for_each_target([&] {
    for (size_t n = 0; n < 300; n += n < 130 ? 1 : 19) {
      for (const uint64_t first : {uint64_t{0}, uint64_t{32}, uint64_t{4096}}) {
        std::vector<float> got(n), want(n);
        fill_normal(stream, first, got);
        fill_normal_ref(stream, first, want);
        ASSERT_TRUE(same_bits(got, want)) << n << " from " << first;
      }
    }
    std::vector<float> got(1 << 20), want(1 << 20);
    fill_normal(stream, 0, got);
    fill_normal_ref(stream, 0, want);
    ASSERT_TRUE(same_bits(got, want));
  });
}

// Against Box and Muller's formula in long double, over the radii at random angles.
TEST(Normal, EvaluatesTheFormulaToThreeTenMillionths) {
  long double worst = 0, largest = 0;
  SequentialRandom random(Stream(1, Purpose::kInit));
  const auto error = [](long double got, long double want) {
    return std::fabs(got - want) / (std::fabs(want) + 1e-30L);
  };
  for (uint32_t k = 0; k < 1u << 24; k += k < 1024 || k > (1u << 24) - 1024 ? 1 : 5) {
    const uint32_t angle = random.next();
    const NormalPair pair = normal_pair(k << 8, angle);
    const long double radius = std::sqrt(-2 * std::log((k + 1) / 16777216.0L));
    const long double a = 2 * std::numbers::pi_v<long double> * angle / 4294967296.0L;
    worst = std::max({worst, error(pair.cosine, radius * std::cos(a)), error(pair.sine, radius * std::sin(a))});
    largest = std::max(largest, radius);
  }
  EXPECT_LT(worst, 3.0e-7L);
  EXPECT_LT(largest, 5.77L);
}

TEST(Normal, MomentsAndKolmogorovDistance) {
  constexpr size_t kN = 4'000'000;
  std::vector<float> xi(kN);
  fill_normal(Stream(8, Purpose::kGaussian), 0, xi);
  double mean = 0, square = 0, fourth = 0, pair = 0;
  for (size_t i = 0; i < kN; ++i) {
    const double z = xi[i];
    mean += z / kN;
    square += z * z / kN;
    fourth += z * z * z * z / kN;
    if (i % 32 < 16) pair += z * xi[i + 16] / (kN / 2);
  }
  EXPECT_NEAR(mean, 0, 4.5 / std::sqrt(kN));
  EXPECT_NEAR(square, 1, 4.5 * std::sqrt(2.0 / kN));
  EXPECT_NEAR(fourth, 3, 4.5 * std::sqrt(96.0 / kN));
  EXPECT_NEAR(pair, 0, 4.5 / std::sqrt(kN / 2));
  std::sort(xi.begin(), xi.end());
  double distance = 0;
  for (size_t i = 0; i < kN; ++i)
    distance = std::max(distance, std::fabs(0.5 * std::erfc(-xi[i] / std::numbers::sqrt2) - (i + 0.5) / kN));
  EXPECT_LT(distance, 1.95 / std::sqrt(kN));  // 99.9 %
}

// The distribution function of the discrete law itself, not of a sample: average over a grid of angles of the exact
// P(radius cos a <= z) with the 24-bit radius, against Phi.
TEST(Normal, TheDiscreteRadiusKeepsTheLawWithinTwoToTheMinus22) {
  for (const double z : {0.01, 0.5, 1.0, 2.0, 3.5, 5.0}) {
    // P(xi > z) = mean over a of P(R > z / cos a), and P(R > r) = floor(exp(-r^2/2) 2^24) / 2^24 by construction.
    constexpr int kAngles = 1 << 16;
    double above = 0, smooth = 0;
    for (int i = 0; i < kAngles; ++i) {
      const double c = std::cos(std::numbers::pi / 2 * (i + 0.5) / kAngles);
      const double tail = std::exp(-0.5 * z * z / (c * c));
      above += 0.5 * (std::ceil(tail * 16777216 - 1) / 16777216) / kAngles;
      smooth += 0.5 * tail / kAngles;
    }
    EXPECT_NEAR(smooth, 0.5 * std::erfc(z / std::numbers::sqrt2), 1e-9) << z;
    EXPECT_NEAR(above, smooth, 0x1p-22) << z;
  }
}

}  // namespace
}  // namespace signstep
