// SPDX-License-Identifier: Apache-2.0
// What needs the draws themselves, on a sample of coordinates: whether noise is symmetric and unimodal, how far
// sign-failure rates vary between draws, and what dither would do to the expected step, exactly and not by a series.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "signstep/parallel/executor.h"
#include "signstep/theory/coordinate_sample.h"
#include "signstep/theory/moments.h"
#include "signstep/theory/snr_profile.h"

namespace signstep {

inline constexpr double kShapeLevel = 0.05;  // of both shape tests
inline constexpr size_t kLeastDraws = 10;    // by which anything is judged

// Of one tensor: how many coordinates the sampled ones stand for, so that tensors add up as they do elsewhere.
struct ShapeCounts {
  double tested = 0, symmetric = 0, unimodal = 0;  // not rejected; coordinates whose draws all agree are not tested
};

struct SampleProfile {
  std::vector<ShapeCounts> tensors;
  // Standard error of each bin's mean failure rate over coordinates, draws being the independent units: coordinates of
  // one draw fail together. It holds the sample's own spread too, so it is on the large side. NaN: fewer than two
  // sampled coordinates.
  std::array<double, kSnrBins> failure_error;
  // Standard error of reference_variance by the jackknife over draws (Efron, Stein 1981, Ann. Statist. 9(3)):
  // coordinates of a draw err together, so the mean over millions of them is much less sure than it looks.
  double reference_variance_error = 0;
  // At each dither level, over the draws: sum over all coordinates (sampled ones by weight) of g E[sign(draw +
  // dither)], the first-order descent per unit of learning rate; and the same less that without dither.
  std::array<Moments, kLevels> descent, gain;
  // Standard errors of their means: of the draws, and of the sample, whose coordinates stand for all.
  std::array<double, kLevels> descent_error{}, gain_error{};
};

// 10 draws or more for the shape tests; fewer leave tested at 0. variance and rms as for snr_profiles.
SampleProfile sample_profile(const CoordinateSample& sample, std::span<const float> reference, size_t tensors,
                             double variance, std::span<const double> rms, Executor& executor);

// The tests' rejection rates at level kShapeLevel and n draws, from 200 seeded samples of each law.
struct ShapePower {
  double gaussian_asymmetric = 0, skewness_half = 0, skewness_one = 0;  // triples: Gaussian, gamma(16), gamma(4)
  double gaussian_multimodal = 0, bumps3 = 0, bumps4 = 0;               // dip: Gaussian, two equal ones 3, 4 sd apart
};
ShapePower shape_power(size_t draws);

}  // namespace signstep
