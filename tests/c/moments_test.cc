// SPDX-License-Identifier: Apache-2.0
#include "signstep/theory/moments.h"

#include <cmath>

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

}  // namespace
}  // namespace signstep
