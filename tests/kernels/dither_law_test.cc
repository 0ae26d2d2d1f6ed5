// SPDX-License-Identifier: Apache-2.0
// Uniform noise, scales by each coordinate's maximum, and the mean in the place of the draw: known answers and laws.
// That every target computes them alike is in sign_kernel_test.cc.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "signstep/kernels/dither_draw.h"
#include "signstep/kernels/sign_kernel.h"
#include "tests/kernels/each_target.h"

namespace signstep {
namespace {

// A SignSGD step at rate 1 from x = 0, so that x ends at -s.
struct Draw {
  std::vector<float> u;
  std::vector<float> maximum = {};
  float sigma = 1;
  DitherOn on = DitherOn::kUpdate;
  DitherNoise noise = DitherNoise::kUniform;
  ZeroPolicy zero = ZeroPolicy::kSkip;
  uint64_t step_number = 0;

  std::vector<float> signs() {
    std::vector<float> x(u.size());
    StepTensor tensor;
    tensor.x = x.data();
    tensor.g = u.data();
    tensor.maximum = maximum.empty() ? nullptr : maximum.data();
    tensor.n = u.size();
    tensor.sigma = sigma;
    SignStep step;
    step.lr = 1;
    step.dither_on = on;
    step.noise = noise;
    step.zero = zero;
    step.seed = 42;
    step.step = step_number;
    StepStatistics statistics;
    SerialExecutor serial;
    sign_step({&tensor, 1}, step, {&statistics, 1}, serial);
    for (float& value : x) value = -value;
    return x;
  }
};

double mean_of(const std::vector<float>& values) {
  double sum = 0;
  for (const float value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

constexpr float kInf = std::numeric_limits<float>::infinity();

// What dither_draw.h states of erf, against the C library's in long double; by factors, so that small z count too.
TEST(DitherMean, ErrorOfTheErf) {
  long double absolute = 0, relative = 0;
  double before = 0;
  float rounded_before = 0;
  for (double z = 1e-30; z < 8; z *= z < 1e-3 ? 1.1 : 1.00003) {
    const long double exact = std::erf(static_cast<long double>(z) / std::sqrt(2.0L));
    const double mean = gaussian_mean(z, 1);
    absolute = std::max(absolute, std::fabs(mean - exact));
    relative = std::max(relative, std::fabs(mean - exact) / exact);
    ASSERT_EQ(gaussian_mean(-z, 1), -mean) << z;
    ASSERT_GE(static_cast<float>(mean), rounded_before) << z;
    ASSERT_LE(static_cast<float>(mean), 1.0f) << z;
    ASSERT_GT(mean, 0) << z;
    rounded_before = static_cast<float>(mean);
    before = mean;
  }
  EXPECT_EQ(before, 1);
  EXPECT_LT(absolute, 0x1p-29L);
  EXPECT_LT(relative, 0x1p-26L);
}

TEST(DitherMean, KnownAnswers) {
  for_each_target([&] {
    for (const ZeroPolicy zero : {ZeroPolicy::kSkip, ZeroPolicy::kRandom, ZeroPolicy::kPlus}) {
      // 40 elements: the vector's code and the tail's.
      std::vector<float> u = {0, -0.0f, 0.5f, -0.5f, 1, -2, 3, 1e-30f, 100, -100};
      for (size_t i = u.size(); i < 40; ++i) u.push_back(u[i % 10]);
      Draw draw{.u = u, .sigma = 0.5f, .on = DitherOn::kMean, .zero = zero};
      const std::vector<float> uniform = draw.signs();
      draw.noise = DitherNoise::kGaussian;
      const std::vector<float> gaussian = draw.signs();
      for (size_t i = 0; i < u.size(); ++i) {
        EXPECT_EQ(uniform[i], std::clamp(2 * u[i], -1.0f, 1.0f)) << u[i];
        const double exact = std::erf(u[i] / (0.5 * std::sqrt(2.0)));
        EXPECT_NEAR(gaussian[i], exact, 0x1p-29 + 0x1p-25 * std::fabs(exact)) << u[i];
        if (u[i] == 0) {
          EXPECT_EQ(gaussian[i], 0) << "whatever sign(0) is without a dither";
        }
      }
      draw.sigma = 0;  // annealed away: the sign, and its policy for 0
      EXPECT_EQ(draw.signs()[4], 1);
      EXPECT_EQ(std::fabs(draw.signs()[0]), zero == ZeroPolicy::kSkip ? 0 : 1);
    }
  });
}

// E[s] of the draw is what the mean returns.
TEST(DitherMean, IsTheMeanOfTheDraw) {
  constexpr size_t kDraws = 400'000;
  for (const DitherNoise noise : {DitherNoise::kUniform, DitherNoise::kGaussian}) {
    for (int i = -9; i <= 9; ++i) {
      Draw draw{.u = std::vector<float>(kDraws, 0.3f * static_cast<float>(i) / 8), .sigma = 0.3f, .noise = noise};
      draw.step_number = static_cast<uint64_t>(100 + i);
      const double drawn = mean_of(draw.signs());
      draw.on = DitherOn::kMean;
      const double expected = draw.signs()[0];
      EXPECT_NEAR(drawn, expected, 4.5 * std::sqrt((1 - expected * expected) / kDraws) + 1e-7) << i;
      if (noise == DitherNoise::kUniform && std::abs(i) >= 8) {
        EXPECT_EQ(drawn, i > 0 ? 1 : -1) << "certain";
      }
    }
  }
}

// As DitherLaw.ChiSquareOverTenMillionDraws: chi-square of 98 lies between 60.4 and 147.0 in 99.8 %.
TEST(DitherUniform, ChiSquareOverNearlyTenMillionDraws) {
  constexpr size_t kDraws = 100'000;
  double chi2 = 0;
  for (int group = 1; group < 99; ++group) {
    const float u = static_cast<float>(group - 49.5) / 49.5f;
    Draw draw{.u = std::vector<float>(kDraws, u)};
    draw.step_number = static_cast<uint64_t>(group);
    const double p = (1 + static_cast<double>(u)) / 2, deviation = (mean_of(draw.signs()) + 1) / 2 - p;
    chi2 += deviation * deviation * kDraws / (p * (1 - p));
  }
  EXPECT_GT(chi2, 60.4);
  EXPECT_LT(chi2, 147.0);
}

TEST(DitherUniform, TheExtremesOfTheUniformNumber) {
  EXPECT_TRUE(uniform_is_plus(0, 1, -1, ~0u));
  EXPECT_FALSE(uniform_is_plus(0, 1, 0, 0)) << "U is just above 1/2";
  EXPECT_TRUE(uniform_is_plus(1, 1, 32767, ~0u));
  EXPECT_FALSE(uniform_is_plus(-1, 1, -32768, 0));
  EXPECT_TRUE(uniform_is_plus(-1 + 0x1p-30, 1, -32768, 0));
}

TEST(DitherUniform, ElementsReadTheDocumentedWords) {
  const Stream draws(42, Purpose::kDither, 9), refinement(42, Purpose::kRefinement, 9);
  for_each_target([&] {
    Draw draw{.u = std::vector<float>(300, 0.3f)};
    draw.step_number = 9;
    const std::vector<float> s = draw.signs();
    for (size_t i = 0; i < s.size(); ++i) {
      const uint32_t word = draws.group(static_cast<uint32_t>(i / 8))[i % 8 / 2];
      const auto half = static_cast<int16_t>(i % 2 ? word >> 16 : word & 0xFFFF);
      const double uniform = (half + 32768 + (refinement.word(i) + 0.5) / 4294967296.0) / 65536;
      ASSERT_EQ(s[i], uniform < (1 + static_cast<double>(0.3f)) / 2 ? 1 : -1) << i;
    }
  });
}

TEST(DitherMaximum, RunsUpAndScalesItsCoordinate) {
  for_each_target([&] {
    Draw draw{.u = {}, .maximum = {2, 2, 0, 0, 1, 1, 0, 1e-45f}, .on = DitherOn::kMean, .zero = ZeroPolicy::kPlus};
    const std::vector<float> u = {1, -4, 0, 3, NAN, kInf, -0.0f, 0};
    for (int k = 0; k < 5; ++k) {
      draw.u.insert(draw.u.end(), u.begin(), u.end());
      if (k > 0) draw.maximum.insert(draw.maximum.end(), draw.maximum.begin(), draw.maximum.begin() + 8);
    }
    const std::vector<float> s = draw.signs();
    const float wanted[] = {0.5f, -1, 1, 1, 0, 0, 1, 0}, now[] = {2, 4, 0, 3, 1, 1, 0, 1e-45f};
    for (size_t i = 0; i < s.size(); ++i) {
      EXPECT_EQ(s[i], wanted[i % 8]) << i << ": no maximum yet, no dither";
      EXPECT_EQ(draw.maximum[i], now[i % 8]) << i;
    }
    // Wherever in a vector or a tail it lies.
    Draw damaged{.u = std::vector<float>(70, 5.0f), .maximum = std::vector<float>(70, NAN), .on = DitherOn::kMean};
    damaged.signs();
    for (const float maximum : damaged.maximum) EXPECT_TRUE(std::isnan(maximum));
    draw.sigma = 0;
    draw.u.assign(40, 5.0f);
    EXPECT_EQ(draw.signs(), std::vector<float>(40, 1.0f));
    EXPECT_EQ(draw.maximum, std::vector<float>(40, 5.0f)) << "it runs on while the level is 0";
  });
}

// StoSignSGD (arXiv 2604.15416): sign(m + G u), u uniform in [-1, 1], G the running maximum of |m|, has the mean m / G.
TEST(DitherMaximum, WithUniformNoiseTheMeanIsTheRatio) {
  constexpr size_t kCopies = 100'000;
  for (const float ratio : {-1.0f, -0.6f, 0.0f, 0.01f, 0.5f, 0.99f}) {
    Draw draw{.u = std::vector<float>(kCopies), .maximum = std::vector<float>(kCopies)};
    for (size_t i = 0; i < kCopies; ++i) {
      draw.maximum[i] = std::exp2(static_cast<float>(i % 50) - 25);
      draw.u[i] = ratio * draw.maximum[i];
    }
    EXPECT_NEAR(mean_of(draw.signs()), ratio, 4.5 * std::sqrt((1 - ratio * ratio) / kCopies) + 1e-7);
  }
}

}  // namespace
}  // namespace signstep
