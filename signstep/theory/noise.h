// SPDX-License-Identifier: Apache-2.0
// Noise laws with mean 0 and variance 1, as one sample's gradient has them. Three fit the theory's assumptions besides
// the Gaussian; the last two break one each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "signstep/random/random.h"

namespace signstep {

enum class NoiseKind {
  kGaussian,
  kLaplace,
  kUniform,
  kStudentT,  // 3 degrees of freedom: the heaviest integer tail with a variance
  kSkewed,    // sqrt 3 with probability 1/4, -1/sqrt 3 with 3/4: +3.75 and -1.25 at unit variance; skewness 2/sqrt 3
  kBimodal,   // +-0.95, each 1/2, plus N(0, 1 - 0.95^2): symmetric, and the sign of a small gradient drowns
};

std::span<const NoiseKind> all_noises();
const char* noise_name(NoiseKind kind);  // "gaussian", ..., "student-t", ...
bool is_symmetric_unimodal(NoiseKind kind);
double third_moment(NoiseKind kind);  // central

// P(noise <= x), exact up to the C library's erfc, exp and atan.
double noise_cdf(NoiseKind kind, double x);

// The mean of `batch` independent draws, variance 1 / batch. The law is exact: sums of Gaussian, Laplace (a difference
// of gammas: Marsaglia, Tsang 2000, ACM TOMS 26(3)) and two-point draws are drawn at once, uniform and Student-t
// (Bailey 1994, Math. Comp. 62) ones one by one.
double noise_mean(NoiseKind kind, uint32_t batch, SequentialRandom& random);

}  // namespace signstep
