// SPDX-License-Identifier: Apache-2.0
#include "signstep/theory/dither_law.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "signstep/random/normal_cdf.h"
#include "signstep/theory/bounds.h"

namespace signstep {

double expected_sign(const CoordinateNoise& noise, double dither) {
  const double s = root_sum_of_squares(noise.sigma, dither);
  if (s == 0) return (noise.gradient > 0) - (noise.gradient < 0);
  const double z = noise.gradient / s, share = noise.sigma / s, z2 = z * z;
  const double gamma = std::clamp(noise.skewness * share * share * share, -1.0, 1.0);
  const double kappa = std::clamp(noise.excess_kurtosis * share * share * share * share, -2.0, 4.0);
  const double phi = std::exp(-z2 / 2) / std::sqrt(2 * std::numbers::pi);
  // There the series may be infinite; what is NaN stays so.
  if (phi == 0) return 2 * normal_cdf(z) - 1 + 0 * (gamma + kappa);
  const double series =
      gamma * (z2 - 1) / 6 - kappa * z * (z2 - 3) / 24 - gamma * gamma * z * (z2 * z2 - 10 * z2 + 15) / 72;
  return std::clamp(2 * normal_cdf(z) - 1 + 2 * phi * series, -1.0, 1.0);
}

double fixed_point(const CoordinateNoise& noise, double dither) {
  const double s = root_sum_of_squares(noise.sigma, dither);
  if (s == 0) return 0;
  const double share = noise.sigma / s;
  return noise.skewness * noise.sigma * share * share / 6;
}

}  // namespace signstep
