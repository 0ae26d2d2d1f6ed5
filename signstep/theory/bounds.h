// SPDX-License-Identifier: Apache-2.0
// What the small-batch theory promises, as functions (docs/theory.md has the theorem and its proof).
//
// For coordinate i, g the true gradient, sigma the standard deviation of the mini-batch gradient, S = |g| / sigma:
//   failure   P(sign(noisy g) != sign(g)) <= p(S) where g is not 0 and noise unimodal and symmetric about 0
//   weight    w(S) = 1 - 2 p(S), so E[sign(noisy g) sign(g)] >= w(S)
//   rate      mean over K steps of E[sum_i |g_i| w(S_i)] <= gap / (lr K) + lr |L|_1 / 2,  gap = f_0 - f*
// Sources: Gauss 1823; Bernstein et al. 2018 (arXiv 1802.04434, lemma D.1) and 2019 (arXiv 1810.05291).
#pragma once

#include <cmath>

namespace signstep {

inline const double kGaussKnee = 2 / std::sqrt(3.0);  // where the two branches of Gauss's inequality meet, w = 2/3

// p(S): 2 / (9 S^2) above the knee, else 1/2 - S / (2 sqrt 3). S >= 0; infinity (no noise) gives 0.
inline double sign_failure_bound(double snr) {
  return snr > kGaussKnee ? 2 / (9 * snr * snr) : 0.5 - snr / (2 * std::sqrt(3.0));
}

// w(S): 1 - 4 / (9 S^2) above the knee, else S / sqrt 3. Concave, increasing, from 0 to 1.
inline double snr_weight(double snr) { return snr > kGaussKnee ? 1 - 4 / (9 * snr * snr) : snr / std::sqrt(3.0); }

// sqrt(a^2 + b^2) by operations that every machine rounds alike, for numbers whose squares a double does not hold too.
inline double root_sum_of_squares(double a, double b) {
  const double largest = std::fmax(std::fabs(a), std::fabs(b));
  if (largest == 0 || !std::isfinite(largest)) return largest;
  const int exponent = std::ilogb(largest);  // a power of 2: no result of ordinary size rounds otherwise
  a = std::scalbn(a, -exponent), b = std::scalbn(b, -exponent);
  return std::scalbn(std::sqrt(a * a + b * b), exponent);
}

// S = |g| / sqrt(sigma^2 + dither^2). Independent Gaussian dither keeps the noise unimodal and symmetric, so p and w
// hold with this S. 0 for g = 0, infinity for another g without any noise.
inline double signal_to_noise(double g, double sigma, double dither = 0) {
  return g == 0 ? 0 : std::fabs(g) / root_sum_of_squares(sigma, dither);
}

// How much longer dither may make the same promise in terms of the S without dither: because w is concave and w(0) = 0,
// w(a S) >= a w(S) for a in [0, 1], here a = sigma / sqrt(sigma^2 + dither^2). At least 1; sigma > 0 is the smallest
// one.
inline double dither_slowdown(double sigma, double dither) { return root_sum_of_squares(1, dither / sigma); }

// The bound on the mean SNR-weighted stationarity over `steps` steps at a constant learning rate.
inline double rate_bound(double gap, double l1_smoothness, double learning_rate, double steps) {
  return gap / (learning_rate * steps) + learning_rate * l1_smoothness / 2;
}

// The constant rate that makes the bound least, and the bound there: sqrt(2 gap / (K |L|_1)), sqrt(2 |L|_1 gap / K).
inline double best_learning_rate(double gap, double l1_smoothness, double steps) {
  return std::sqrt(2 * gap / (steps * l1_smoothness));
}
inline double best_rate_bound(double gap, double l1_smoothness, double steps) {
  return std::sqrt(2 * l1_smoothness * gap / steps);
}

}  // namespace signstep
