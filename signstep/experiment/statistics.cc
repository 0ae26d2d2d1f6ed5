// SPDX-License-Identifier: Apache-2.0
#include "signstep/experiment/statistics.h"

#include <algorithm>
#include <boost/math/distributions/students_t.hpp>
#include <cassert>
#include <cmath>
#include <limits>
#include <numeric>

#include "signstep/report/mean_sd.h"

namespace signstep {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// Student's distribution with df degrees of freedom. What is no number gives NaN and no exception: a table shows it.
auto student(double df) {
  namespace policies = boost::math::policies;
  using Quiet = policies::policy<policies::domain_error<policies::ignore_error>>;
  return boost::math::students_t_distribution<double, Quiet>(df);
}

// P(|T| > |t|), exact far in the tails too.
double two_sided(double t, double df) { return 2 * boost::math::cdf(complement(student(df), std::abs(t))); }

}  // namespace

double student_cdf(double t, double df) { return boost::math::cdf(student(df), t); }

double student_quantile(double p, double df) {
  assert(p > 0 && p < 1 && df > 0);
  return boost::math::quantile(student(df), p);
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
