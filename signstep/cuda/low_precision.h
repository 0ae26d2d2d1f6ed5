// SPDX-License-Identifier: Apache-2.0
// float16 (IEEE 754 binary16) and bfloat16 as bits, from integer operations alone: the same on CPU and GPU.
#pragma once

#include <bit>
#include <cstdint>

#include "signstep/base/host_device.h"

namespace signstep {

enum class ElementType : uint8_t { kFloat32, kFloat16, kBFloat16 };

constexpr uint64_t bytes_of(ElementType type) { return type == ElementType::kFloat32 ? 4 : 2; }

SIGNSTEP_HD inline float float_of_bfloat16(uint16_t bits) { return std::bit_cast<float>(uint32_t{bits} << 16); }

SIGNSTEP_HD inline float float_of_float16(uint16_t bits) {
  const uint32_t sign = (bits & 0x8000u) << 16, exponent = bits >> 10 & 31, fraction = bits & 0x3FF;
  if (exponent == 0)  // denormal: fraction 2^-24, exact
    return std::bit_cast<float>(std::bit_cast<uint32_t>(static_cast<float>(fraction) * 0x1p-24f) | sign);
  return std::bit_cast<float>(sign | (exponent == 31 ? 255 : exponent + 112) << 23 | fraction << 13);
}

// To nearest, ties to even; a NaN becomes the quiet one without a sign.
SIGNSTEP_HD inline uint16_t bfloat16_of(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  if ((bits & 0x7FFFFFFF) > 0x7F800000) return 0x7FC0;
  return static_cast<uint16_t>((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

SIGNSTEP_HD inline uint16_t float16_of(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value), size = bits & 0x7FFFFFFF, sign = bits >> 16 & 0x8000;
  if (size > 0x7F800000) return 0x7E00;
  if (size >= 0x47800000) return static_cast<uint16_t>(sign | 0x7C00);  // 2^16 and above
  if (size < 0x38800000) {  // below 2^-14: the last place of 0.5 is that of a denormal, so the addition rounds
    const float rounded = std::bit_cast<float>(size) + 0.5f;
    return static_cast<uint16_t>(sign | (std::bit_cast<uint32_t>(rounded) - 0x3F000000));
  }
  return static_cast<uint16_t>(sign | (size + 0xFFF + (size >> 13 & 1) - 0x38000000) >> 13);
}

SIGNSTEP_HD inline float float_of_bits(ElementType type, uint16_t bits) {
  return type == ElementType::kFloat16 ? float_of_float16(bits) : float_of_bfloat16(bits);
}

SIGNSTEP_HD inline uint16_t nearest_bits(ElementType type, float value) {
  return type == ElementType::kFloat16 ? float16_of(value) : bfloat16_of(value);
}

// With a <= |value| <= b its neighbours in the type, b where (h + 2^15 + 1/2) / 2^16 < (|value| - a) / (b - a), h being
// the element's halfword of Purpose::kRounding (docs/numerics.md). A finite value never becomes infinite.
SIGNSTEP_HD inline uint16_t stochastic_bits(ElementType type, float value, int16_t h) {
  const uint16_t nearest = nearest_bits(type, value);
  if (!is_finite(value)) return nearest;
  const float size = value < 0 ? -value : value;
  const auto size_of = [type](uint16_t bits) { return float_of_bits(type, bits & 0x7FFF); };
  const auto down = static_cast<uint16_t>(size_of(nearest) > size ? nearest - 1 : nearest);
  const auto up = static_cast<uint16_t>(down + 1);
  const float low = size_of(down), high = size_of(up);
  const float uniform = (static_cast<float>(h) + 32768.5f) * 0x1p-16f;
  return is_finite(high) && uniform < (size - low) / (high - low) ? up : down;
}

}  // namespace signstep
