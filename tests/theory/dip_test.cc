// SPDX-License-Identifier: Apache-2.0
#include "signstep/theory/dip_test.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <map>

#include "signstep/random/random.h"

namespace signstep {
namespace {

// The definition, decided for one distance d: is there a distribution function G, convex up to some mode and concave
// after it, with |F - G| <= d? At distinct values x_i, F jumps from b_i to t_i, so G must lie between t_i - d and b_i +
// d; at the mode itself G may jump. The least value of a convex G at the mode is the largest that its constraints force
// there (a line from an upper bound through a later lower bound), and in mirror image for the concave side.
bool unimodal_within(const std::map<float, std::pair<double, double>>& steps, double d) {
  std::vector<double> x, low, high, bottom, top;
  for (const auto& [v, f] : steps) {
    x.push_back(v);
    bottom.push_back(f.first);
    top.push_back(f.second);
    low.push_back(f.second - d);
    high.push_back(f.first + d);
  }
  const size_t n = x.size();
  // One side seen from the mode m outwards to the left: the least G(m-), or infinity when the band admits no convex G.
  const auto least = [](const std::vector<double>& xs, const std::vector<double>& lo, const std::vector<double>& hi,
                        size_t m) {
    double value = 0;
    for (size_t j = 0; j < m; ++j) {
      if (lo[j] > hi[j]) return HUGE_VAL;
      value = std::max(value, lo[j]);
      for (size_t i = 0; i < j; ++i) {
        value = std::max(value, lo[j] + (lo[j] - hi[i]) / (xs[j] - xs[i]) * (xs[m] - xs[j]));
        for (size_t k = j + 1; k < m; ++k)
          if (lo[j] > hi[i] + (hi[k] - hi[i]) * (xs[j] - xs[i]) / (xs[k] - xs[i]) + 1e-12) return HUGE_VAL;
      }
    }
    return value;
  };
  std::vector<double> mirror_x, mirror_low, mirror_high;  // x -> -x, G -> 1 - G
  for (size_t i = n; i-- > 0;) {
    mirror_x.push_back(-x[i]);
    mirror_low.push_back(1 - high[i]);
    mirror_high.push_back(1 - low[i]);
  }
  for (size_t m = 0; m < n; ++m) {
    const double left = least(x, low, high, m), right = 1 - least(mirror_x, mirror_low, mirror_high, n - 1 - m);
    if (left <= bottom[m] + d + 1e-12 && right >= top[m] - d - 1e-12 && left <= right + 1e-12) return true;
  }
  return false;
}

double dip_by_definition(const std::vector<float>& values) {
  std::vector<float> sorted = values;
  std::sort(sorted.begin(), sorted.end());
  std::map<float, std::pair<double, double>> steps;
  const auto n = static_cast<double>(sorted.size());
  for (size_t i = 0; i < sorted.size(); ++i) {
    const auto at = steps.try_emplace(sorted[i], static_cast<double>(i) / n, 0).first;
    at->second.second = static_cast<double>(i + 1) / n;
  }
  double low = 0, high = 0.5;
  for (int step = 0; step < 40; ++step) {
    const double d = (low + high) / 2;
    (unimodal_within(steps, d) ? high : low) = d;
  }
  return std::max(high, 1 / (2 * n));
}

TEST(DipTest, EqualsItsDefinition) {
  SequentialRandom random(Stream(4, Purpose::kProblem));
  for (int trial = 0; trial < 300; ++trial) {
    std::vector<float> x(4 + random.below(16));
    for (float& v : x) {
      v = static_cast<float>(random.normal() + 4 * random.below(1 + static_cast<uint32_t>(trial % 4)));
      if (trial % 5 == 4) v = std::round(v);  // ties
    }
    if (std::all_of(x.begin(), x.end(), [&](float v) { return v == x[0]; })) continue;
    ASSERT_NEAR(dip_statistic(x), dip_by_definition(x), 1e-6) << trial << ": " << testing::PrintToString(x);
  }
}

TEST(DipTest, KnownAnswers) {
  std::vector<float> even;
  for (int i = 0; i < 50; ++i) even.push_back(static_cast<float>(i));
  EXPECT_DOUBLE_EQ(dip_statistic(even), 0.01) << "1 / (2 n), the least there is";
  std::vector<float> two(20, 0.0f);
  std::fill(two.begin() + 10, two.end(), 1.0f);
  EXPECT_DOUBLE_EQ(dip_statistic(two), 0.25) << "two atoms, the most there is";
  EXPECT_EQ(dip_statistic(std::vector<float>(9, 3.0f)), 0);
}

// The authors' own example, the quality of 63 statistics departments: diptest::dip(diptest::statfaculty) of R.
TEST(DipTest, TheDipOfTheAuthorsExample) {
  const std::vector<float> quality = {30, 33, 35, 36, 37, 37, 39, 39, 39, 39, 39, 40, 40, 40, 40, 41,
                                      42, 43, 43, 43, 44, 44, 45, 45, 46, 46, 47, 47, 48, 48, 48, 49,
                                      50, 50, 51, 52, 52, 53, 53, 53, 53, 53, 54, 54, 57, 57, 59, 60,
                                      60, 60, 61, 61, 61, 61, 62, 62, 62, 62, 63, 66, 70, 72, 72};
  EXPECT_NEAR(dip_statistic(quality), 0.0595238095238095, 1e-15);
}

// Quantiles of the dip of n uniform values: diptest::qDiptab of R's package diptest 0.76 (Maechler), from 1,000,001
// samples each. Ours are from kSamples, so the share beyond R's quantile is binomial.
TEST(DipTest, QuantilesEqualThoseOfRsDiptest) {
  struct Row {
    size_t n;
    std::array<double, 4> quantiles;
  };
  constexpr size_t kSamples = 20000;
  constexpr std::array<double, 4> kBeyond = {0.5, 0.1, 0.05, 0.01};
  for (const Row& row : {Row{10, {0.09778176304, 0.13046214964, 0.13961139514, 0.15968415886}},
                         Row{50, {0.04885115529, 0.06491363240, 0.07027378772, 0.08119984154}},
                         Row{200, {0.02558435826, 0.03399678143, 0.03684184139, 0.04268647998}}}) {
    const DipTest test(row.n, kSamples);
    for (size_t i = 0; i < kBeyond.size(); ++i) {
      const double sd = std::sqrt(kBeyond[i] * (1 - kBeyond[i]) * (1.0 / kSamples + 1e-6));
      EXPECT_NEAR(test.p_value(row.quantiles[i]), kBeyond[i], 4 * sd) << "n " << row.n;
    }
  }
}

// The header's figures at 256 draws.
TEST(DipTest, LevelAndPowerAt256Draws) {
  const DipTest test(256);
  const auto rejected = [&](const std::function<double(SequentialRandom&)>& value) {
    constexpr uint64_t kSamples = 1000;
    std::vector<float> x(256);
    double count = 0;
    for (uint64_t s = 0; s < kSamples; ++s) {
      SequentialRandom random(Stream(6, Purpose::kProblem, s));
      for (float& v : x) v = static_cast<float>(value(random));
      count += test.p_value(dip_statistic(x)) <= 0.05;
    }
    return count / kSamples;
  };
  const auto bumps = [](double apart) {
    return [apart](SequentialRandom& r) { return r.normal() + (r.next() % 2 == 0 ? apart : 0); };
  };
  const double uniform = rejected([](SequentialRandom&r) { return r.uniform(); }), gaussian = rejected(bumps(0)),
               three = rejected(bumps(3)), four = rejected(bumps(4));
  EXPECT_NEAR(uniform, 0.05, 0.025);
  EXPECT_LE(gaussian, 0.002);
  EXPECT_NEAR(three, 0.22, 0.04);
  EXPECT_GT(four, 0.98);
}

}  // namespace
}  // namespace signstep
