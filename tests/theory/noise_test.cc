// SPDX-License-Identifier: Apache-2.0
#include "signstep/theory/noise.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "signstep/theory/moments.h"

namespace signstep {
namespace {

TEST(Noise, MeansOfABatchHaveTheStatedMoments) {
  for (const NoiseKind kind : all_noises()) {
    for (const uint32_t batch : {1u, 3u, 64u, 100u}) {
      SequentialRandom random(Stream(1, Purpose::kProblem, batch));
      Moments m;
      for (int i = 0; i < 20000; ++i) m.add(noise_mean(kind, batch, random));
      const double n = batch;
      EXPECT_LT(std::fabs(m.mean), 4 * m.standard_error()) << noise_name(kind) << batch;
      if (kind == NoiseKind::kStudentT) continue;  // its variance converges too slowly to test; the law is tested below
      EXPECT_NEAR(m.variance() * n, 1, 0.07) << noise_name(kind) << batch;
      EXPECT_NEAR(m.skewness() * std::sqrt(n), third_moment(kind), 0.15 * std::sqrt(n)) << noise_name(kind) << batch;
    }
  }
}

// Kolmogorov's distance of 20000 single draws from the stated law; 1.63 / sqrt(n) is the 1 % point.
TEST(Noise, SingleDrawsFollowTheStatedLaw) {
  for (const NoiseKind kind : all_noises()) {
    SequentialRandom random(Stream(2, Purpose::kProblem));
    std::vector<double> x(20000);
    for (double& v : x) v = noise_mean(kind, 1, random);
    std::sort(x.begin(), x.end());
    double distance = 0;
    for (size_t i = 0; i < x.size(); ++i) {
      if (i + 1 < x.size() && x[i + 1] == x[i]) continue;  // at an atom, its upper end
      distance = std::max(distance, std::fabs(static_cast<double>(i + 1) / 20000 - noise_cdf(kind, x[i])));
    }
    EXPECT_LT(distance, 1.63 / std::sqrt(20000)) << noise_name(kind);
  }
}

// A mean of 2 drawn at once against two single draws: the same law, by the distance between two samples.
TEST(Noise, AMeanDrawnAtOnceHasTheLawOfAMean) {
  for (const NoiseKind kind : {NoiseKind::kLaplace, NoiseKind::kSkewed, NoiseKind::kBimodal}) {
    SequentialRandom random(Stream(3, Purpose::kProblem));
    std::vector<double> a(20000), b(20000);
    for (double& v : a) v = noise_mean(kind, 2, random);
    for (double& v : b) {
      v = noise_mean(kind, 1, random);
      v = (v + noise_mean(kind, 1, random)) / 2;
    }
    double distance = 0;
    for (double x = -2; x <= 2; x += 0.0101) {
      const auto below = [&](const std::vector<double>& v) {
        return static_cast<double>(std::count_if(v.begin(), v.end(), [&](double y) { return y <= x; })) / 20000;
      };
      distance = std::max(distance, std::fabs(below(a) - below(b)));
    }
    EXPECT_LT(distance, 1.63 * std::sqrt(2.0 / 20000)) << noise_name(kind);
  }
}

}  // namespace
}  // namespace signstep
