// SPDX-License-Identifier: Apache-2.0
// Eight elements in a row, what one thread takes at a time: as many as one Philox group of dither serves, and 16 or 32
// bytes of an array.
#pragma once

#include <cstddef>
#include <cstdint>

#include "signstep/cuda/low_precision.h"

namespace signstep {

inline constexpr uint32_t kEight = 8;

// As one load or store of the device's; may_alias, for the arrays are of other types.
struct __attribute__((aligned(16), may_alias)) SixteenBytes {
  uint32_t word[4];
};

// out[j] = element first + j of the array as float, for j < count <= 8; the others stay. vectors: the array starts at a
// multiple of 16 bytes, first is one of 8.
SIGNSTEP_HD inline void load_eight(const void* array, ElementType type, bool vectors, uint64_t first, uint32_t count,
                                   float* out) {
  if (type == ElementType::kFloat32) {
    const float* const from = static_cast<const float*>(array) + first;
    if (vectors && count == kEight) {
      const SixteenBytes low = reinterpret_cast<const SixteenBytes*>(from)[0];
      const SixteenBytes high = reinterpret_cast<const SixteenBytes*>(from)[1];
      SIGNSTEP_UNROLL
      for (uint32_t j = 0; j < 4; ++j) {
        out[j] = std::bit_cast<float>(low.word[j]);
        out[j + 4] = std::bit_cast<float>(high.word[j]);
      }
      return;
    }
    SIGNSTEP_UNROLL
    for (uint32_t j = 0; j < kEight; ++j)
      if (j < count) out[j] = from[j];
    return;
  }
  const uint16_t* const from = static_cast<const uint16_t*>(array) + first;
  if (vectors && count == kEight) {
    const SixteenBytes all = *reinterpret_cast<const SixteenBytes*>(from);
    SIGNSTEP_UNROLL
    for (uint32_t j = 0; j < kEight; ++j)
      out[j] = float_of_bits(type, static_cast<uint16_t>(all.word[j / 2] >> (j % 2 * 16)));
    return;
  }
  SIGNSTEP_UNROLL
  for (uint32_t j = 0; j < kEight; ++j)
    if (j < count) out[j] = float_of_bits(type, from[j]);
}

SIGNSTEP_HD inline void store_eight(float* array, bool vectors, uint64_t first, uint32_t count, const float* in) {
  float* const to = array + first;
  if (vectors && count == kEight) {
    SixteenBytes low, high;
    SIGNSTEP_UNROLL
    for (uint32_t j = 0; j < 4; ++j) {
      low.word[j] = std::bit_cast<uint32_t>(in[j]);
      high.word[j] = std::bit_cast<uint32_t>(in[j + 4]);
    }
    reinterpret_cast<SixteenBytes*>(to)[0] = low;
    reinterpret_cast<SixteenBytes*>(to)[1] = high;
    return;
  }
  SIGNSTEP_UNROLL
  for (uint32_t j = 0; j < kEight; ++j)
    if (j < count) to[j] = in[j];
}

SIGNSTEP_HD inline void store_eight(uint16_t* array, bool vectors, uint64_t first, uint32_t count, const uint16_t* in) {
  uint16_t* const to = array + first;
  if (vectors && count == kEight) {
    SixteenBytes all;
    SIGNSTEP_UNROLL
    for (uint32_t j = 0; j < 4; ++j) all.word[j] = uint32_t{in[2 * j + 1]} << 16 | in[2 * j];
    *reinterpret_cast<SixteenBytes*>(to) = all;
    return;
  }
  SIGNSTEP_UNROLL
  for (uint32_t j = 0; j < kEight; ++j)
    if (j < count) to[j] = in[j];
}

}  // namespace signstep
