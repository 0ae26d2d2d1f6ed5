// SPDX-License-Identifier: Apache-2.0
// The law of the draw: the distribution function, the filter that decides most draws, and what the kernel returns.
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "signstep/kernels/dither_draw.h"
#include "signstep/kernels/sign_kernel.h"
#include "signstep/random/normal.h"
#include "tests/kernels/each_target.h"

namespace signstep {
namespace {

long double exact_cdf(long double z) { return 0.5L * std::erfc(-z / std::sqrt(2.0L)); }

TEST(NormalCdf, WithinTwoToTheMinus29Everywhere) {
  long double worst = 0;
  for (int i = -12'000'000; i <= 12'000'000; i += 7) {
    const double z = i * 1e-6;
    worst = std::max(worst, std::fabs(normal_cdf(z) - exact_cdf(z)));
  }
  EXPECT_LT(worst, 0x1p-29L);
  EXPECT_EQ(normal_cdf(0), 0.5);
  EXPECT_EQ(normal_cdf(1e300), 1);
  EXPECT_EQ(normal_cdf(-INFINITY), 0);
  for (const double z : {0.1, 1.0, 4.0, 6.4, 7.0}) EXPECT_EQ(normal_cdf(z) + normal_cdf(-z), 1);
}

// The derivation in docs/numerics.md needs |filter - 2^16 (Phi - 1/2)| < kFilterMargin - 1 less a rounding. By floats,
// not by equal steps: every 97th float between 2^-30 and 2^5, both signs.
TEST(DitherFilter, StaysWithinItsMargin) {
  double worst = 0;
  for (uint32_t bits = 0x30800000; bits < 0x42000000; bits += 97) {
    for (const float sign : {1.0f, -1.0f}) {
      const float z = sign * std::bit_cast<float>(bits);
      for (const bool fused : {false, true})
        worst = std::max(worst, std::fabs(dither_filter(z, fused) - 65536 * (normal_cdf(z) - 0.5)));
    }
  }
  EXPECT_LT(worst, 9.1);
  EXPECT_LT(worst + 1 + 0x1p-8, kFilterMargin);
  EXPECT_EQ(dither_filter(0, true), 0);
}

TEST(DitherDraw, TheExtremesOfTheUniformNumber) {
  EXPECT_TRUE(dither_is_plus(-6.4f, 1, -32768, 0));
  EXPECT_FALSE(dither_is_plus(-7, 1, -32768, 0));
  EXPECT_FALSE(dither_is_plus(6.4f, 1, 32767, ~0u));
  EXPECT_TRUE(dither_is_plus(7, 1, 32767, ~0u));
  EXPECT_FALSE(dither_is_plus(0, 1, 0, 0)) << "U is just above 1/2";
  EXPECT_TRUE(dither_is_plus(0, 1, -1, ~0u));
}

// Signs of a SignSGD step whose gradients are all u: x starts at 0 and ends at -s.
double mean_sign(const std::vector<float>& u, float sigma, uint64_t step_number, uint32_t index = 0) {
  std::vector<float> x(u.size());
  StepTensor tensor;
  tensor.x = x.data();
  tensor.g = u.data();
  tensor.n = u.size();
  tensor.sigma = sigma;
  tensor.index = index;
  SignStep step;
  step.lr = 1;
  step.seed = 42;
  step.step = step_number;
  StepStatistics statistics;
  SerialExecutor serial;
  sign_step({&tensor, 1}, step, {&statistics, 1}, serial);
  double sum = 0;
  for (const float value : x) sum -= value;
  return sum / static_cast<double>(u.size());
}

TEST(DitherLaw, MeanSignIsErf) {
  constexpr size_t kDraws = 400'000;
  for (int i = -24; i <= 24; ++i) {
    const double z = i / 4.0, expected = std::erf(z / std::sqrt(2.0));
    const std::vector<float> u(kDraws, static_cast<float>(0.37 * z));
    const double sd = std::sqrt((1 - expected * expected) / kDraws);
    EXPECT_NEAR(mean_sign(u, 0.37f, 100 + i), expected, 4.5 * sd + 1e-7) << z;
  }
}

// 10^7 draws in 100 groups by u / sigma: sum of squared standardized deviations. At 99.9 % chi-square of 100 is 149.4,
// at 0.1 % 61.9.
TEST(DitherLaw, ChiSquareOverTenMillionDraws) {
  constexpr int kGroups = 100;
  constexpr size_t kDraws = 100'000;
  double chi2 = 0;
  for (int group = 0; group < kGroups; ++group) {
    const double z = (group - 49.5) / 20;
    const float u = static_cast<float>(z);
    const double p = normal_cdf(u);
    const double mean = mean_sign(std::vector<float>(kDraws, u), 1, 7, static_cast<uint32_t>(group));
    const double deviation = (mean + 1) / 2 - p;
    chi2 += deviation * deviation * kDraws / (p * (1 - p));
  }
  EXPECT_GT(chi2, 61.9);
  EXPECT_LT(chi2, 149.4);
}

// Neighbours, steps and tensors draw independently: correlations of 10^6 fair signs.
TEST(DitherLaw, DrawsAreUncorrelated) {
  constexpr size_t kN = 1'000'000;
  const auto signs = [&](uint64_t step_number, uint32_t index) {
    std::vector<float> x(kN), g(kN, 0.0f);
    StepTensor tensor;
    tensor.x = x.data();
    tensor.g = g.data();
    tensor.n = kN;
    tensor.sigma = 1;
    tensor.index = index;
    SignStep step;
    step.lr = 1;
    step.step = step_number;
    StepStatistics statistics;
    SerialExecutor serial;
    sign_step({&tensor, 1}, step, {&statistics, 1}, serial);
    return x;
  };
  const auto correlation = [&](const std::vector<float>& a, const std::vector<float>& b, size_t lag) {
    double sum = 0;
    for (size_t i = 0; i + lag < kN; ++i) sum += a[i] * b[i + lag];
    return sum / kN;
  };
  const auto a = signs(1, 0), b = signs(2, 0), c = signs(1, 1);
  for (const size_t lag : {1, 2, 4, 8, 16, 32, 64, 128, 4096}) EXPECT_NEAR(correlation(a, a, lag), 0, 4.5e-3) << lag;
  EXPECT_NEAR(correlation(a, b, 0), 0, 4.5e-3);
  EXPECT_NEAR(correlation(a, c, 0), 0, 4.5e-3);
}

// Noise +4 with probability 1/4, -1 with 3/4 (mean +1/4): undithered, the sign goes the wrong way half of the time.
TEST(DitherLaw, TwoPointNoise) {
  constexpr size_t kQuarter = 1'000'000;
  std::vector<float> u(4 * kQuarter, -1.0f);
  for (size_t i = 0; i < kQuarter; ++i) u[4 * i + i % 4] = 4.0f;
  EXPECT_EQ(mean_sign(u, 0, 1), -0.5);
  const double sd = 1.0 / std::sqrt(4.0 * kQuarter);
  EXPECT_NEAR(mean_sign(u, 1, 1), -0.2620, 4 * sd + 5e-5);
  EXPECT_NEAR(mean_sign(u, 2.7329f, 2), 0, 4 * sd + 5e-5);
  EXPECT_NEAR(mean_sign(u, 4, 3), 0.0226, 4 * sd + 5e-5);
  // And exactly, through the distribution function that the draw compares with.
  const auto expected = [](double sigma) { return 0.5 * normal_cdf(4 / sigma) + 1.5 * normal_cdf(-1 / sigma) - 1; };
  EXPECT_NEAR(expected(1), -0.2620, 5e-5);
  EXPECT_NEAR(expected(2.7329), 0, 5e-5);
  EXPECT_NEAR(expected(4), 0.0226, 5e-5);
}

// The map that dither_draw.h documents, read off the Philox words, whatever the target.
TEST(DitherDraw, ElementsReadTheDocumentedWords) {
  constexpr size_t kN = 300;
  const Stream draws(42, Purpose::kDither, 9, 5), refinement(42, Purpose::kRefinement, 9, 5);
  for_each_target([&] {
    std::vector<float> x(kN), g(kN, 0.3f);
    StepTensor tensor;
    tensor.x = x.data();
    tensor.g = g.data();
    tensor.n = kN;
    tensor.sigma = 1;
    tensor.index = 5;
    SignStep step;
    step.lr = 1;
    step.seed = 42;
    step.step = 9;
    StepStatistics statistics;
    SerialExecutor serial;
    sign_step({&tensor, 1}, step, {&statistics, 1}, serial);
    for (size_t i = 0; i < kN; ++i) {
      const uint32_t word = draws.group(static_cast<uint32_t>(i / 8))[i % 8 / 2];
      const auto half = static_cast<int16_t>(i % 2 ? word >> 16 : word & 0xFFFF);
      const double uniform = (half + 32768 + (refinement.word(i) + 0.5) / 4294967296.0) / 65536;
      ASSERT_EQ(x[i], uniform < exact_cdf(0.3f) ? -1 : 1) << i;
    }
  });
}

}  // namespace
}  // namespace signstep
