// SPDX-License-Identifier: Apache-2.0
// The Bernoulli draw of dithering before the sign: P(s = +1) = Phi(u / sigma), right to 2^-29 absolute.
//
// Element i of a tensor owns a 48-bit uniform number
//
//   U = (h + 2^15 + (w + 1/2) / 2^32) / 2^16  in (0, 1),   s = +1  if and only if  U < normal_cdf(u / sigma)
//
//   h  halfword i mod 8 of group i / 8 of the stream Purpose::kDither, as a signed 16-bit number
//      (halfword 2 j is the low half of word j, halfword 2 j + 1 the high half)
//   w  word i of the stream Purpose::kRefinement (word i mod 4 of group i / 4)
//
// w and normal_cdf are rarely looked at. The kernels evaluate dither_filter(u / sigma), a float polynomial within
// kFilterMargin - 1 of 2^16 (Phi - 1/2), and decide by it where |filter - h| >= kFilterMargin, about 2999 times in
// 3000: there no w and no error of the filter could turn the comparison. Elsewhere they evaluate the definition. So the
// draw is the definition's for every vector width, and one Philox group serves eight elements. docs/numerics.md has
// the derivation. Uniform noise of half width sigma has (1 + u / sigma) / 2 in the place of normal_cdf, and its filter
// is within 2^-7 of 2^15 u / sigma.
#pragma once

#include <cmath>
#include <cstdint>

#include "signstep/random/normal_cdf.h"
#include "signstep/random/random.h"

namespace signstep {

// The definition. sigma > 0, u finite.
SIGNSTEP_HD inline bool dither_is_plus(double u, double sigma, int16_t h, uint32_t w) {
  const double uniform = ((h + 32768.0) + (w + 0.5) * 0x1p-32) * 0x1p-16;  // exact: 49 bits
  return uniform < normal_cdf(u / sigma);
}

// The same for noise that is uniform in [-sigma, sigma]. Exact but for the rounding of u / sigma to double.
SIGNSTEP_HD inline bool uniform_is_plus(double u, double sigma, int16_t h, uint32_t w) {
  return h + (w + 0.5) * 0x1p-32 < 0x1p15 * (u / sigma);
}

// The mean of the dithered sign, odd, 0 for u = 0. sigma > 0, u finite. Gaussian: erf(u / (sigma sqrt 2)) to 2^-29
// absolute and 2^-26 of itself, before it is rounded to float; uniform: u / sigma, cut at +-1, rounded once.
SIGNSTEP_HD inline double gaussian_mean(double u, double sigma) { return 2 * normal_cdf_odd(u / sigma); }
SIGNSTEP_HD inline float uniform_mean(float u, float sigma) {
  const float z = u / sigma;
  return z < -1.0f ? -1.0f : z > 1.0f ? 1.0f : z;
}

SIGNSTEP_HD inline int16_t dither_halfword(const Stream& dither, uint64_t i) {
  const uint32_t word = dither.group(static_cast<uint32_t>(i / 8))[i % 8 / 2];
  return static_cast<int16_t>(i % 2 ? word >> 16 : word);
}

// 2^16 (Phi(z) - 1/2) = z Q(z^2) for z clamped to [-4, 4]: minimax to 6.82, the clamp adds 2.08, float rounding < 0.2.
inline constexpr float kFilterEnd = 4.0f;
SIGNSTEP_TABLE float kFilter[] = {26117.8600111f, -4285.29181139f,  597.226684053f,   -57.604960351f,
                                  3.5514290036f,  -0.123987232317f, 0.00184556633997f};
inline constexpr float kFilterMargin = 11.0f;  // error < 9.1, the unknown w < 1, float rounding of the subtraction

// |filter - 2^15 u / sigma| < 2^-7 (two roundings of a number up to 2^15), the unknown w < 1, the subtraction < 2^-8.
inline constexpr float kUniformMargin = 1.0625f;

// The filter as a kernel evaluates it, for tests; fused where the target has the instruction. z = u * (1 / sigma), both
// rounded to float.
SIGNSTEP_HD inline float dither_filter(float z, bool fused) {
  z = z < -kFilterEnd ? -kFilterEnd : z > kFilterEnd ? kFilterEnd : z;
  const float z2 = z * z;
  float q = kFilter[6];
  SIGNSTEP_UNROLL
  for (int k = 5; k >= 0; --k) q = fused ? std::fma(q, z2, kFilter[k]) : q * z2 + kFilter[k];
  return z * q;
}

}  // namespace signstep
