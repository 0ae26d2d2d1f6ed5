// SPDX-License-Identifier: Apache-2.0
#include "signstep/theory/dither_law.h"

#include <gtest/gtest.h>

#include <cmath>

#include "signstep/random/normal_cdf.h"
#include "signstep/theory/noise.h"

namespace signstep {
namespace {

// E[sign(g + sigma noise + dither N)] by summing over a fine grid of the noise's law.
double exact(NoiseKind kind, double g, double sigma, double dither) {
  const auto smooth = [&](double noise) { return std::erf((g + sigma * noise) / (dither * std::sqrt(2.0))); };
  if (kind == NoiseKind::kSkewed) return 0.25 * smooth(std::sqrt(3.0)) + 0.75 * smooth(-1 / std::sqrt(3.0));
  double sum = 0;
  constexpr double kStep = 1e-3;
  for (double x = -60; x < 60; x += kStep)
    sum += (noise_cdf(kind, x + kStep) - noise_cdf(kind, x)) * smooth(x + kStep / 2);
  return sum;
}

// docs/theory.md and docs/algorithms.md print these: g = +4 with probability 1/4, else -1.
TEST(DitherLaw, TheCounterexample) {
  const double sigma = 1.25 * std::sqrt(3.0);
  EXPECT_NEAR(exact(NoiseKind::kSkewed, 0.25, sigma, 1e-9), -0.5, 1e-9);
  EXPECT_NEAR(exact(NoiseKind::kSkewed, 0.25, sigma, 1), -0.2620, 5e-5);
  EXPECT_NEAR(exact(NoiseKind::kSkewed, 0.25, sigma, 2.7329), 0, 1e-5);
  EXPECT_NEAR(exact(NoiseKind::kSkewed, 0.25, sigma, 4), 0.0226, 5e-5);
}

TEST(DitherLaw, FourMomentsPredictTheMeanSign) {
  struct Law {
    NoiseKind kind;
    double skewness, excess_kurtosis;
  };
  for (const Law law :
       {Law{NoiseKind::kGaussian, 0, 0}, Law{NoiseKind::kLaplace, 0, 3}, Law{NoiseKind::kUniform, 0, -1.2},
        Law{NoiseKind::kSkewed, 2 / std::sqrt(3.0), -2.0 / 3}, Law{NoiseKind::kBimodal, 0, -2 * std::pow(0.95, 4)}}) {
    for (const double g : {-0.7, -0.1, 0.0, 0.05, 0.3, 1.0}) {
      for (const double dither : {1.0, 2.0, 4.0}) {
        EXPECT_NEAR(expected_sign({g, 1, law.skewness, law.excess_kurtosis}, dither), exact(law.kind, g, 1, dither),
                    dither == 1                      ? 0.05
                    : law.kind == NoiseKind::kSkewed ? (dither == 2 ? 0.0035 : 0.00018)
                                                     : (dither == 2 ? 0.001 : 0.00003))
            << noise_name(law.kind) << " g " << g << " dither " << dither;
      }
    }
  }
}

// The sign does not know the unit: not where squares of what it is given overflow or vanish either.
TEST(DitherLaw, HoldsInEveryUnit) {
  const double at_one = expected_sign({1, 1, 0.5, 1}, 0.5);
  const double law = fixed_point({0, 1, 0.5, 0}, 0.5);
  for (const double unit : {0x1p-1000, 0x1p-600, 0x1p600, 0x1p1020}) {
    EXPECT_EQ(expected_sign({unit, unit, 0.5, 1}, unit / 2), at_one) << unit;
    EXPECT_EQ(fixed_point({0, unit, 0.5, 0}, unit / 2), unit * law) << unit;
    EXPECT_EQ(expected_sign({unit, unit * 0x1p-10, 1, 1}, 0), 1) << unit;
  }
  EXPECT_EQ(expected_sign({1e300, 1, 1, 4}, 0), 1) << "a series of infinity times 0";
  EXPECT_EQ(expected_sign({-1e300, 1e-300, -1, 4}, 0), -1);
  EXPECT_TRUE(std::isnan(expected_sign({1e300, 1, std::nan(""), 0}, 0)));
}

// The fixed point, first order in the skewness: the relative error falls as dither grows, and so does the shift.
TEST(DitherLaw, DitherMovesTheFixedPointBack) {
  double before = 1e9, error_before = 1e9;
  for (const double dither : {1.0, 2.0, 4.0, 8.0}) {
    double low = 0, high = 1;  // exact(g) rises with g
    for (int step = 0; step < 50; ++step) {
      const double g = (low + high) / 2;
      (exact(NoiseKind::kSkewed, g, 1, dither) < 0 ? low : high) = g;
    }
    const double predicted = fixed_point({0, 1, 2 / std::sqrt(3.0), -2.0 / 3}, dither),
                 error = std::fabs(predicted / low - 1);
    EXPECT_LT(low, before);
    EXPECT_LT(error, error_before);
    before = low;
    error_before = error;
  }
  EXPECT_LT(error_before, 0.02);
  EXPECT_EQ(fixed_point({0, 1, 0, 3}, 0), 0) << "symmetric noise";
  EXPECT_EQ(fixed_point({}, 0), 0);
}

TEST(DitherLaw, WithoutNoiseItIsTheSign) {
  EXPECT_EQ(expected_sign({.gradient = -2}, 0), -1);
  EXPECT_EQ(expected_sign({}, 0), 0);
  EXPECT_NEAR(expected_sign({.gradient = 1}, 2), 2 * normal_cdf(0.5) - 1, 1e-15);
}

}  // namespace
}  // namespace signstep
