// SPDX-License-Identifier: Apache-2.0
#include "signstep/theory/dip_test.h"

#include <algorithm>

#include "signstep/random/random.h"

namespace signstep {
namespace {

// The sample's distribution function times n: it jumps from bottom[i] to top[i] at x[i], x ascending.
struct Steps {
  std::vector<double> x, bottom, top;
};

Steps steps_of(std::span<const float> values) {
  std::vector<double> sorted(values.begin(), values.end());  // double, as x: of float, g++ 14 sees a false overflow
  std::sort(sorted.begin(), sorted.end());
  Steps s;
  for (size_t i = 0; i < sorted.size(); ++i) {
    if (s.x.empty() || sorted[i] != s.x.back()) {
      s.x.push_back(sorted[i]);
      s.bottom.push_back(static_cast<double>(i));
      s.top.push_back(0);
    }
    s.top.back() = static_cast<double>(i + 1);
  }
  return s;
}

// Knots (indices) of the greatest convex minorant of the points (x, y) in [low, high]; side = -1 gives the least
// concave majorant.
std::vector<size_t> hull(const std::vector<double>& x, const std::vector<double>& y, size_t low, size_t high,
                         double side) {
  std::vector<size_t> knots;
  for (size_t i = low; i <= high; ++i) {
    while (knots.size() >= 2) {
      const size_t a = knots[knots.size() - 2], b = knots.back();
      if (side * ((y[b] - y[a]) * (x[i] - x[a]) - (y[i] - y[a]) * (x[b] - x[a])) < 0) break;
      knots.pop_back();
    }
    knots.push_back(i);
  }
  return knots;
}

// The hull's value at every index of [low, high].
std::vector<double> values_of(const std::vector<size_t>& knots, const std::vector<double>& x,
                              const std::vector<double>& y) {
  std::vector<double> out{y[knots.front()]};
  for (size_t k = 1; k < knots.size(); ++k) {
    const size_t a = knots[k - 1], b = knots[k];
    for (size_t i = a + 1; i < b; ++i) out.push_back(y[a] + (y[b] - y[a]) * (x[i] - x[a]) / (x[b] - x[a]));
    out.push_back(y[b]);
  }
  return out;
}

}  // namespace

// Hartigan and Hartigan, section 3: shrink the modal interval [low, high] to where minorant and majorant are farthest
// apart, until they are closer there than the misfit outside. `twice` is 2 n dip.
double dip_statistic(std::span<const float> values) {
  const Steps s = steps_of(values);
  if (s.x.size() < 2) return 0;
  double twice = 1;
  size_t low = 0, high = s.x.size() - 1;
  while (low < high) {
    const auto convex_knots = hull(s.x, s.bottom, low, high, 1), concave_knots = hull(s.x, s.top, low, high, -1);
    const auto convex = values_of(convex_knots, s.x, s.bottom), concave = values_of(concave_knots, s.x, s.top);
    double widest = 0;
    size_t next_low = low, next_high = high;
    for (const size_t k : convex_knots) {
      if (concave[k - low] - convex[k - low] <= widest) continue;
      widest = concave[k - low] - convex[k - low];
      next_low = k;
      next_high = *std::lower_bound(concave_knots.begin(), concave_knots.end(), k);
    }
    for (const size_t k : concave_knots) {
      if (concave[k - low] - convex[k - low] <= widest) continue;
      widest = concave[k - low] - convex[k - low];
      next_high = k;
      next_low = *std::prev(std::upper_bound(convex_knots.begin(), convex_knots.end(), k));
    }
    if (widest <= twice) break;
    for (size_t i = low; i < next_low; ++i) twice = std::max(twice, s.top[i] - convex[i - low]);
    for (size_t i = next_high + 1; i <= high; ++i) twice = std::max(twice, concave[i - low] - s.bottom[i]);
    if (next_low == low && next_high == high) break;
    low = next_low;
    high = next_high;
  }
  return twice / (2 * static_cast<double>(values.size()));
}

DipTest::DipTest(size_t n, size_t samples, uint64_t seed) {
  std::vector<float> draw(n);
  for (size_t i = 0; i < samples; ++i) {
    SequentialRandom random(Stream(seed, Purpose::kProblem, i));
    for (float& x : draw) x = static_cast<float>(random.uniform());
    dips_.push_back(dip_statistic(draw));
  }
  std::sort(dips_.begin(), dips_.end());
}

double DipTest::p_value(double dip) const {
  const auto larger = dips_.end() - std::lower_bound(dips_.begin(), dips_.end(), dip);
  return static_cast<double>(larger + 1) / static_cast<double>(dips_.size() + 1);
}

}  // namespace signstep
