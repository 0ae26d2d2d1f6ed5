// SPDX-License-Identifier: Apache-2.0
// The few statistics that a comparison over seeds needs.
#pragma once

#include <span>
#include <vector>

namespace signstep {

// P(T <= t) of Student's distribution with df > 0 degrees of freedom; relative error below 1e-12.
double student_cdf(double t, double df);
// t with student_cdf(t, df) = p, p in (0, 1).
double student_quantile(double p, double df);

// Fewer seeds than this give no interval that means anything: two have 12.7 standard errors of it.
inline constexpr size_t kFewestSeeds = 3;

struct PairedDifference {
  size_t n = 0;              // pairs
  double mean = 0;           // of a - b; NaN without a pair
  double low = 0, high = 0;  // 95 % confidence interval of the mean; NaN for fewer than two pairs
  double p = 1;              // two-sided, of the mean being 0; NaN for fewer than two pairs
  double holm_p = 1;         // corrected over the family, by holm()
};

// Paired t test (Student 1908): differences of values at the same place. A pair with a NaN is left out. Equal
// differences have p 0, or 1 when they are all 0.
PairedDifference paired_difference(std::span<const double> a, std::span<const double> b);

// Holm's step-down correction (Holm 1979): sorted p_(1) <= ... <= p_(m) become the running maximum of (m - i + 1)
// p_(i), at most 1. NaN stays and does not count.
std::vector<double> holm(const std::vector<double>& p);

}  // namespace signstep
