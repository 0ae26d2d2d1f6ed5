// SPDX-License-Identifier: Apache-2.0
// SignSGD at a constant rate on a problem with known answers: x <- x - lr sign(g(x) + sigma * noise + dither * normal).
#pragma once

#include <cstdint>
#include <vector>

#include "signstep/theory/noise.h"
#include "signstep/theory/problems.h"

namespace signstep {

struct DescentOptions {
  NoiseKind noise = NoiseKind::kGaussian;
  uint32_t batch = 1;  // samples a gradient is the mean of
  double dither = 0;   // standard deviation of the Gaussian dither, in units of the gradient
  uint64_t steps = 1;
  double learning_rate = 0;
  uint64_t seed = 1;
  uint64_t curve_every = 0;  // keep the gap after every so many steps; 0: none
};

// Means over the steps of what the true gradient was before each of them, and where the run ended.
struct DescentResult {
  double weighted = 0;  // sum_i |g_i| w(S_i), S_i = |g_i| / sqrt(sigma_i^2 / batch + dither^2)
  double l1 = 0, l2_squared = 0;
  double final_gap = 0;
  std::vector<double> curve;  // gaps, the first one before any step
};

// A function of the options alone. Cost: steps x dimension draws of the batch's noise, and a gradient a step.
DescentResult sign_descent(const Problem& problem, const DescentOptions& options);

}  // namespace signstep
