// SPDX-License-Identifier: Apache-2.0
// The equations of docs/theory.md, and exact failure probabilities beside Gauss's bound.
#include "signstep/theory/bounds.h"

#include <gtest/gtest.h>

#include <limits>

#include "signstep/theory/noise.h"

namespace signstep {
namespace {

TEST(Bounds, TheTwoBranchesMeetSmoothly) {
  EXPECT_DOUBLE_EQ(sign_failure_bound(0), 0.5);
  EXPECT_NEAR(sign_failure_bound(kGaussKnee), 1.0 / 6, 1e-15);
  EXPECT_NEAR(sign_failure_bound(kGaussKnee * (1 + 1e-9)), 1.0 / 6, 1e-9);
  EXPECT_EQ(sign_failure_bound(std::numeric_limits<double>::infinity()), 0);
  EXPECT_EQ(snr_weight(std::numeric_limits<double>::infinity()), 1);
  for (double s = 0; s < 10; s += 0.01) EXPECT_NEAR(snr_weight(s), 1 - 2 * sign_failure_bound(s), 1e-15) << s;
}

TEST(Bounds, TheSignalToNoiseRatioHasNoUnit) {
  for (const double unit : {0x1p-1000, 0x1p-600, 1.0, 0x1p600, 0x1p1020}) {
    EXPECT_EQ(signal_to_noise(unit, 3 * unit / 4, unit), 0.8) << unit;
    EXPECT_EQ(dither_slowdown(3 * unit / 4, unit), 5.0 / 3) << unit;
  }
  EXPECT_EQ(signal_to_noise(1, 0), std::numeric_limits<double>::infinity());
  EXPECT_EQ(signal_to_noise(0, 0), 0);
}

// What the cost of dither rests on: w is concave with w(0) = 0, so w(a S) >= a w(S).
TEST(Bounds, TheWeightIsConcave) {
  for (double s = 0.01; s < 20; s *= 1.07) {
    EXPECT_LE(snr_weight(0.9 * s) + snr_weight(1.1 * s), 2 * snr_weight(s) + 1e-15);
    for (double a = 0; a <= 1; a += 0.05) EXPECT_GE(snr_weight(a * s), a * snr_weight(s) - 1e-15);
  }
  const double sigma = 0.5, dither = 1.2, g = 0.7;
  EXPECT_GE(snr_weight(signal_to_noise(g, sigma, dither)) * dither_slowdown(sigma, dither),
            snr_weight(signal_to_noise(g, sigma)));
}

TEST(Bounds, ExactFailureProbabilitiesLieUnderTheBoundOnAGrid) {
  for (const NoiseKind kind : all_noises()) {
    double worst = -1;
    for (double s = 0.001; s < 30; s *= 1.01) {
      // g = s > 0 fails when g + noise <= 0, g = -s when it is >= 0.
      const double failure = std::max(noise_cdf(kind, -s), 1 - noise_cdf(kind, std::nextafter(s, 0.0)));
      worst = std::max(worst, failure - sign_failure_bound(s));
    }
    if (is_symmetric_unimodal(kind))
      EXPECT_LE(worst, 1e-12) << noise_name(kind);
    else
      EXPECT_GT(worst, 0.1) << noise_name(kind) << " breaks an assumption and must show it";
  }
}

// Gauss's inequality cannot be improved: uniform noise attains the lower branch, uniform noise with an atom at 0 the
// upper.
TEST(Bounds, TheBoundIsAttained) {
  for (double s = 0.01; s <= kGaussKnee; s += 0.01)
    EXPECT_NEAR(noise_cdf(NoiseKind::kUniform, -s), sign_failure_bound(s), 1e-15);
  for (double s = 1.2; s < 10; s += 0.1) {
    // Uniform on +-3 s / 2 with probability p, else 0; variance p 3 s^2 / 4 = 1.
    const double p = 4 / (3 * s * s);
    EXPECT_NEAR(p * (1.5 * s - s) / (3 * s), sign_failure_bound(s), 1e-15);
  }
}

TEST(Bounds, TheBestRateMinimisesTheBound) {
  const double gap = 3.7, l1 = 12, steps = 250, best = best_learning_rate(gap, l1, steps);
  EXPECT_NEAR(rate_bound(gap, l1, best, steps), best_rate_bound(gap, l1, steps), 1e-12);
  for (const double factor : {0.5, 0.9, 1.1, 2.0})
    EXPECT_GT(rate_bound(gap, l1, factor * best, steps), best_rate_bound(gap, l1, steps));
}

}  // namespace
}  // namespace signstep
