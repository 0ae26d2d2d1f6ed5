// SPDX-License-Identifier: Apache-2.0
#include "signstep/theory/moments.h"

#include <cmath>

#include "signstep/theory/dither_law.h"
#include "tests/c/c_fixtures.h"

namespace signstep {
namespace {

TEST(CMoments, AreThoseOfEachCoordinate) {
  constexpr size_t kCoordinates = 100, kDraws = 20;
  signstep_moments* moments = nullptr;
  ASSERT_EQ(signstep_moments_new(kCoordinates, &moments), SIGNSTEP_OK);
  std::vector<Moments> wanted(kCoordinates);
  TraceNumbers numbers(3);
  std::vector<float> x(kCoordinates);
  for (size_t k = 0; k < kDraws; ++k) {
    numbers.fill(x);
    ASSERT_EQ(signstep_moments_add(moments, x.data(), kCoordinates), SIGNSTEP_OK);
    for (size_t i = 0; i < kCoordinates; ++i) wanted[i].add(x[i]);
  }
  x[50] = NAN;
  EXPECT_EQ(signstep_moments_add(moments, x.data(), kCoordinates), SIGNSTEP_DATA);
  EXPECT_EQ(signstep_moments_add(moments, x.data(), kCoordinates - 1), SIGNSTEP_OPTION);
  EXPECT_EQ(signstep_moments_draws(moments), kDraws);
  std::vector<double> mean(kCoordinates), variance(kCoordinates), skewness(kCoordinates), kurtosis(kCoordinates);
  ASSERT_EQ(
      signstep_moments_read(moments, kCoordinates, mean.data(), variance.data(), skewness.data(), kurtosis.data()),
      SIGNSTEP_OK);
  ASSERT_EQ(signstep_moments_read(moments, kCoordinates, nullptr, nullptr, nullptr, nullptr), SIGNSTEP_OK);
  EXPECT_EQ(signstep_moments_read(moments, 1, nullptr, nullptr, nullptr, nullptr), SIGNSTEP_OPTION);
  for (size_t i = 0; i < kCoordinates; ++i) {
    EXPECT_EQ(mean[i], wanted[i].mean);
    EXPECT_EQ(variance[i], wanted[i].variance());
    EXPECT_EQ(skewness[i], wanted[i].skewness());
    EXPECT_EQ(kurtosis[i], wanted[i].excess_kurtosis());
  }
  signstep_moments_free(moments);
  signstep_moments_free(nullptr);
}

TEST(CMoments, ExpectedSignIsTheTheorys) {
  const std::vector<double> g = {0.5, -1, 0}, sigma = {1, 2, 3}, skewness = {0.5, 0, 1}, kurtosis = {1, 0, 0.5};
  std::vector<double> out(3);
  ASSERT_EQ(signstep_expected_sign(3, g.data(), sigma.data(), skewness.data(), kurtosis.data(), 0.7, out.data()),
            SIGNSTEP_OK);
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(out[i], expected_sign({g[i], sigma[i], skewness[i], kurtosis[i]}, 0.7));
  EXPECT_EQ(signstep_expected_sign(3, g.data(), sigma.data(), skewness.data(), kurtosis.data(), -1, out.data()),
            SIGNSTEP_OPTION);
  EXPECT_EQ(signstep_expected_sign(3, nullptr, sigma.data(), skewness.data(), kurtosis.data(), 1, out.data()),
            SIGNSTEP_OPTION);
}

}  // namespace
}  // namespace signstep
