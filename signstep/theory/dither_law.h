// SPDX-License-Identifier: Apache-2.0
// What the sign of one coordinate does on average when its noise is not symmetric, and what dither changes about it,
// from four measured moments (docs/theory.md derives both).
//
// The noise with dither has variance s^2 = sigma^2 + dither^2 and the cumulants k3, k4 of the noise alone, since a
// Gaussian adds none. With z = g / s, gamma = k3 / s^3, kappa = k4 / s^4, Edgeworth's series (Kolassa 2006, chapter 3)
// gives
//   E[sign] = 2 Phi(z) - 1 + 2 phi(z) (gamma He2(-z) / 6 + kappa He3(-z) / 24 + gamma^2 He5(-z) / 72),
// whose zero is g* = k3 / (6 s^2) to first order: the sign drives g there and not to 0, and dither moves it back.
#pragma once

namespace signstep {

struct CoordinateNoise {
  double gradient = 0;         // g
  double sigma = 0;            // standard deviation of the mini-batch gradient
  double skewness = 0;         // k3 / sigma^3
  double excess_kurtosis = 0;  // k4 / sigma^4
};

// In [-1, 1]. gamma is taken within +-1 and kappa within [-2, 4], about where the series still is a distribution.
// Against exact answers for the laws of noise.h (tests/theory): within 0.05 at dither = sigma, within 0.01 from 2 sigma
// on.
double expected_sign(const CoordinateNoise& noise, double dither);

// Variance of the noise of u = b1 m + (1 - b1) g over that of g, where m is the average of earlier independent
// gradients by b2, both in [0, 1): (1 - b1)^2 + b1^2 (1 - b2) / (1 + b2). Signum: (1 - b) / (1 + b); 1 without an
// average.
constexpr double average_noise(double b1, double b2) { return (1 - b1) * (1 - b1) + b1 * b1 * (1 - b2) / (1 + b2); }

// g*, in the gradient's units; 0 for symmetric noise.
double fixed_point(const CoordinateNoise& noise, double dither);

}  // namespace signstep
