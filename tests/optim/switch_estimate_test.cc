// SPDX-License-Identifier: Apache-2.0
#include "signstep/optim/switch_estimate.h"

#include <cmath>
#include <limits>

#include "tests/optim/fixtures.h"

namespace signstep {
namespace {

using enum SwitchProjection;

StepStatistics sums_of(const std::vector<double>& s, const std::vector<double>& v) {
  StepStatistics sums{.finite = s.size()};
  for (size_t i = 0; i < s.size(); ++i) {
    sums.nonzero += s[i] != 0;
    sums.s_dot_v += s[i] * v[i];
    sums.v_dot_v += v[i] * v[i];
  }
  return sums;
}

std::vector<double> signs(std::vector<double> u) {
  for (double& value : u) value = sign_of(value);
  return u;
}

TEST(SwitchEstimate, SwatsOfSignSgdGivesTheKnownAnswer) {
  const std::vector<double> g{3, -4, 0, 1};
  const auto ratio = rate_ratio(kSwats, sums_of(signs(g), g));
  ASSERT_TRUE(ratio);
  EXPECT_DOUBLE_EQ(*ratio * 0.01, 0.00375);
}

TEST(SwitchEstimate, AStepAgainstTheGradientGivesNone) {
  // Signum's m = (1,1,1) still points where g = (-3,1,1) no longer does: p.g > 0.
  const StepStatistics sums = sums_of({1, 1, 1}, {-3, 1, 1});
  EXPECT_EQ(rate_ratio(kSwats, sums), std::nullopt);
  EXPECT_EQ(rate_ratio(kInner, sums), std::nullopt);
  EXPECT_TRUE(rate_ratio(kNorm, sums)) << "lengths have no direction";
}

TEST(SwitchEstimate, OrItsAbsoluteValueWhereAsked) {
  const StepStatistics sums = sums_of({1, 1, 1}, {-3, 1, 1});  // s.v = -1, v.v = 11
  EXPECT_EQ(rate_ratio(kSwats, sums, SwitchNegative::kAbsolute), 3);
  EXPECT_EQ(rate_ratio(kInner, sums, SwitchNegative::kAbsolute), 1.0 / 11);
  EXPECT_EQ(rate_ratio(kInner, sums_of({1, 1}, {-1, 1}), SwitchNegative::kAbsolute), std::nullopt) << "0 is no rate";
}

TEST(SwitchEstimate, MatchesTheProjectionsOfDesignInFull) {
  const std::vector<double> m{0.5, -2, 0.25, 0, -1, 3}, v{1, -1, -0.5, 2, -3, 0.125};
  const double lr = 0.003;
  double pp = 0, pv = 0, vv = 0;
  for (size_t i = 0; i < m.size(); ++i) {
    const double p = -lr * sign_of(m[i]);
    pp += p * p;
    pv += p * v[i];
    vv += v[i] * v[i];
  }
  const StepStatistics sums = sums_of(signs(m), v);
  EXPECT_NEAR(*rate_ratio(kSwats, sums) * lr, pp / -pv, 1e-15);
  EXPECT_NEAR(*rate_ratio(kInner, sums) * lr, -pv / vv, 1e-15);
  EXPECT_NEAR(*rate_ratio(kNorm, sums) * lr, std::sqrt(pp / vv), 1e-15);
}

TEST(SwitchEstimate, NormIsTheGeometricMeanOfTheOtherTwo) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const std::vector<float> noise = normals(100, seed), other = normals(100, seed + 100);
    std::vector<double> u(noise.begin(), noise.end()), v(noise.begin(), noise.end());
    for (size_t i = 0; i < v.size(); ++i) v[i] += other[i];
    const StepStatistics sums = sums_of(signs(u), v);
    const double swats = *rate_ratio(kSwats, sums), inner = *rate_ratio(kInner, sums), norm = *rate_ratio(kNorm, sums);
    EXPECT_NEAR(norm, std::sqrt(swats * inner), 1e-12 * norm);
    EXPECT_LE(inner, norm);  // by Cauchy and Schwarz, and apart by powers of 1/cos
    EXPECT_LE(norm, swats);
  }
}

TEST(SwitchEstimate, NothingToProjectGivesNone) {
  constexpr double kInf = std::numeric_limits<double>::infinity(), kNan = std::numeric_limits<double>::quiet_NaN();
  for (const SwitchProjection p : {kSwats, kInner, kNorm}) {
    EXPECT_EQ(rate_ratio(p, {}), std::nullopt) << "no tensor";
    EXPECT_EQ(rate_ratio(p, {.finite = 5, .nonzero = 0, .s_dot_v = 0, .v_dot_v = 4}), std::nullopt) << "no step";
    EXPECT_EQ(rate_ratio(p, {.finite = 5, .nonzero = 5, .s_dot_v = 0, .v_dot_v = 0}), std::nullopt) << "no direction";
    EXPECT_EQ(rate_ratio(p, {.finite = 5, .nonzero = 5, .s_dot_v = kNan, .v_dot_v = kNan}), std::nullopt);
    EXPECT_EQ(rate_ratio(p, {.finite = 5, .nonzero = 5, .s_dot_v = kInf, .v_dot_v = kInf}), std::nullopt);
  }
  for (const SwitchProjection p : {kSwats, kInner})
    EXPECT_EQ(rate_ratio(p, {.finite = 5, .nonzero = 5, .s_dot_v = 0, .v_dot_v = 4}), std::nullopt) << "p.v = 0";
}

TEST(SwitchEstimate, TotalsAreOfTheConcatenatedTensors) {
  const std::vector<StepStatistics> tensors{sums_of({1, -1}, {2, -3}), sums_of({0, 1}, {5, -1})};
  const StepStatistics total = total_of(tensors), whole = sums_of({1, -1, 0, 1}, {2, -3, 5, -1});
  EXPECT_EQ(total.finite, whole.finite);
  EXPECT_EQ(total.nonzero, whole.nonzero);
  EXPECT_EQ(total.s_dot_v, whole.s_dot_v);
  EXPECT_EQ(total.v_dot_v, whole.v_dot_v);
}

TEST(SwitchEstimate, TheAverageOfAConstantIsTheConstant) {
  for (const double rho : {0.0, 0.5, 0.9, 0.999}) {
    double lambda = 0;
    for (uint64_t k = 1; k <= 50; ++k) {
      lambda = averaged(rho, lambda, 3.0);
      EXPECT_NEAR(bias_corrected(rho, lambda, k), 3.0, 1e-10) << rho << " " << k;
    }
  }
  EXPECT_EQ(bias_corrected(0.9, 0, 0), 0) << "no estimate, no rate";
}

TEST(SwitchEstimate, AUsableRateIsFiniteAndPositiveInFloat) {
  for (const double good : {1e-30, 1.0, 1e30}) EXPECT_TRUE(usable_rate(good));
  for (const double bad : {0.0, -1.0, 1e-60, 1e60, std::nan(""), std::numeric_limits<double>::infinity()})
    EXPECT_FALSE(usable_rate(bad)) << bad;
}

}  // namespace
}  // namespace signstep
