// SPDX-License-Identifier: Apache-2.0
#include "signstep/experiment/statistics.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>
#include <numeric>

#include "signstep/report/mean_sd.h"

namespace signstep {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// The continued fraction of the incomplete beta function (DLMF 8.17.22), by the modified Lentz method; for x <
// (a+1)/(a+b+2).
double beta_fraction(double a, double b, double x) {
  constexpr double kTiny = 1e-300, kEnough = 1e-16;
  const auto nonzero = [](double v) { return std::abs(v) < kTiny ? kTiny : v; };
  double c = 1, d = 1 / nonzero(1 - (a + b) * x / (a + 1)), f = d;
  for (int m = 1; m < 10000; ++m) {
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    double change = 1;
    for (const double term : {even, odd}) {
      d = 1 / nonzero(1 + term * d);
      c = nonzero(1 + term / c);
      change = c * d;
      f *= change;
    }
    if (std::abs(change - 1) < kEnough) break;
  }
  return f;
}

// The regularized incomplete beta function I_x(a, b), with 1 - x given too: near 1 the difference would lose digits.
double incomplete_beta(double a, double b, double x, double rest) {
  if (x <= 0) return 0;
  if (rest <= 0) return 1;
  const double front =
      std::exp(std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b) + a * std::log(x) + b * std::log(rest));
  return x < (a + 1) / (a + b + 2) ? front * beta_fraction(a, b, x) / a : 1 - front * beta_fraction(b, a, rest) / b;
}

// P(|T| > |t|), exact far in the tails too.
double two_sided(double t, double df) {
  const double whole = df + t * t;
  return incomplete_beta(df / 2, 0.5, df / whole, t * t / whole);
}

}  // namespace

double student_cdf(double t, double df) {
  const double tail = 0.5 * two_sided(t, df);
  return t < 0 ? tail : 1 - tail;
}

double student_quantile(double p, double df) {
  assert(p > 0 && p < 1 && df > 0);
  if (p < 0.5) return -student_quantile(1 - p, df);
  double low = 0, high = 1;
  while (student_cdf(high, df) < p && high < 1e300) high *= 2;
  for (int i = 0; i < 200 && low < high; ++i) {
    const double middle = 0.5 * (low + high);
    if (middle == low || middle == high) break;
    (student_cdf(middle, df) < p ? low : high) = middle;
  }
  return 0.5 * (low + high);
}

PairedDifference paired_difference(std::span<const double> a, std::span<const double> b) {
  assert(a.size() == b.size());
  std::vector<double> differences;
  for (size_t i = 0; i < a.size(); ++i)
    if (std::isfinite(a[i]) && std::isfinite(b[i])) differences.push_back(a[i] - b[i]);
  const MeanSd m = mean_sd(differences);
  PairedDifference out{.n = m.n, .mean = m.mean, .low = kNan, .high = kNan, .p = kNan, .holm_p = kNan};
  if (m.n < 2) return out;
  const double df = static_cast<double>(m.n - 1), error = m.sd / std::sqrt(static_cast<double>(m.n));
  const double reach = student_quantile(0.975, df) * error;
  out.low = m.mean - reach;
  out.high = m.mean + reach;
  out.p = error > 0 ? two_sided(m.mean / error, df) : m.mean == 0 ? 1 : 0;
  return out;
}

std::vector<double> holm(const std::vector<double>& p) {
  std::vector<size_t> order;
  for (size_t i = 0; i < p.size(); ++i)
    if (!std::isnan(p[i])) order.push_back(i);
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return p[a] < p[b]; });
  std::vector<double> corrected(p.size(), kNan);
  double largest = 0;
  for (size_t i = 0; i < order.size(); ++i) {
    largest = std::max(largest, std::min(1.0, static_cast<double>(order.size() - i) * p[order[i]]));
    corrected[order[i]] = largest;
  }
  return corrected;
}

}  // namespace signstep
