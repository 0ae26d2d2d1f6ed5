// SPDX-License-Identifier: Apache-2.0
#include <bit>
#include <cmath>
#include <utility>

#include "signstep/random/normal.h"
#include "signstep/random/normal_constants.h"

namespace signstep {
namespace {

// ln(k / 2^24) for an integer k in [1, 2^24]: k = 2^e (1 + f), 1 + f in [sqrt(1/2), sqrt(2)).
float log_of_24_bits(float k) {
  const int32_t shifted = std::bit_cast<int32_t>(k) - kSqrtHalfBits;
  const float e = static_cast<float>((shifted >> 23) - 24);
  const float f = std::bit_cast<float>((shifted & 0x7FFFFF) + kSqrtHalfBits) - 1.0f;
  float p = kLog[kLogTerms - 1];
  for (int j = kLogTerms - 2; j >= 0; --j) p = p * f + kLog[j];
  return e * kLn2High + (f + (f * f * p + e * kLn2Low));
}

}  // namespace

NormalPair normal_pair(uint32_t radius_word, uint32_t angle_word) {
  const float k = static_cast<float>(static_cast<int32_t>(radius_word >> 8) + 1);
  const float radius = std::sqrt(-2.0f * log_of_24_bits(k));

  // The angle is a quarter turns plus a rest in [-pi/4, pi/4).
  const uint32_t quarter = (angle_word + 0x20000000u) >> 30;
  const float a = static_cast<float>(static_cast<int32_t>(angle_word - (quarter << 30))) * kRadiansPerUnit;
  const float a2 = a * a;
  const float sine = a + a * a2 * ((kSine[2] * a2 + kSine[1]) * a2 + kSine[0]);
  const float cosine = (1.0f - 0.5f * a2) + a2 * a2 * ((kCosine[2] * a2 + kCosine[1]) * a2 + kCosine[0]);
  NormalPair pair = {radius * cosine, radius * sine};
  if (quarter & 1) std::swap(pair.cosine, pair.sine);
  if ((quarter + 1) & 2) pair.cosine = -pair.cosine;
  if (quarter & 2) pair.sine = -pair.sine;
  return pair;
}

float normal_at(const Stream& stream, uint64_t i) {
  const uint64_t k = i / 32 * 32 + i % 16;
  const NormalPair pair = normal_pair(stream.word(k), stream.word(k + 16));
  return i % 32 < 16 ? pair.cosine : pair.sine;
}

void fill_normal_ref(const Stream& stream, uint64_t first, std::span<float> out) {
  for (size_t j = 0; j < out.size(); ++j) out[j] = normal_at(stream, first + j);
}

}  // namespace signstep
