// SPDX-License-Identifier: Apache-2.0
// The arithmetic of normal.h for one pair of numbers, as normal_ref.cc and the CUDA kernels compile it.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

#include "signstep/random/normal.h"
#include "signstep/random/normal_constants.h"

namespace signstep {

// ln(k / 2^24) for an integer k in [1, 2^24]: k = 2^e (1 + f), 1 + f in [sqrt(1/2), sqrt(2)).
SIGNSTEP_HD inline float log_of_24_bits(float k) {
  const int32_t shifted = std::bit_cast<int32_t>(k) - kSqrtHalfBits;
  const float e = static_cast<float>((shifted >> 23) - 24);
  const float f = std::bit_cast<float>((shifted & 0x7FFFFF) + kSqrtHalfBits) - 1.0f;
  float p = kLog[kLogTerms - 1];
  SIGNSTEP_UNROLL
  for (int j = kLogTerms - 2; j >= 0; --j) p = p * f + kLog[j];
  return e * kLn2High + (f + (f * f * p + e * kLn2Low));
}

SIGNSTEP_HD inline NormalPair normal_pair_of(uint32_t radius_word, uint32_t angle_word) {
  const float k = static_cast<float>(static_cast<int32_t>(radius_word >> 8) + 1);
  const float radius = std::sqrt(-2.0f * log_of_24_bits(k));

  // The angle is a quarter turns plus a rest in [-pi/4, pi/4).
  const uint32_t quarter = (angle_word + 0x20000000u) >> 30;
  const float a = static_cast<float>(static_cast<int32_t>(angle_word - (quarter << 30))) * kRadiansPerUnit;
  const float a2 = a * a;
  const float sine = a + a * a2 * ((kSine[2] * a2 + kSine[1]) * a2 + kSine[0]);
  const float cosine = (1.0f - 0.5f * a2) + a2 * a2 * ((kCosine[2] * a2 + kCosine[1]) * a2 + kCosine[0]);
  NormalPair pair = {radius * cosine, radius * sine};
  if (quarter & 1) pair = {pair.sine, pair.cosine};
  if ((quarter + 1) & 2) pair.cosine = -pair.cosine;
  if (quarter & 2) pair.sine = -pair.sine;
  return pair;
}

// xi of element i of a pair's two.
SIGNSTEP_HD inline float normal_of(const NormalPair& pair, uint64_t i) { return i % 32 < 16 ? pair.cosine : pair.sine; }

}  // namespace signstep
