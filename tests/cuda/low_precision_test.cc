// SPDX-License-Identifier: Apache-2.0
// float16 and bfloat16 against their definition: values by ldexp, rounding by a search among all of them.
#include "signstep/cuda/low_precision.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "signstep/random/random.h"

namespace signstep {
namespace {

constexpr ElementType kLow[] = {ElementType::kFloat16, ElementType::kBFloat16};

struct Format {
  int fraction_bits, exponent_bits;
};
Format format_of(ElementType type) { return type == ElementType::kFloat16 ? Format{10, 5} : Format{7, 8}; }

// The value of 15 bits without a sign; infinity has the place of the next power of two, as rounding sees it.
double defined_size(ElementType type, uint32_t bits) {
  const Format f = format_of(type);
  const int bias = (1 << (f.exponent_bits - 1)) - 1, fraction = static_cast<int>(bits & ((1u << f.fraction_bits) - 1));
  const int exponent = static_cast<int>(bits >> f.fraction_bits);
  if (exponent == 0) return std::ldexp(fraction, 1 - bias - f.fraction_bits);
  return std::ldexp((1 << f.fraction_bits) + fraction, exponent - bias - f.fraction_bits);
}

uint32_t infinity_bits(ElementType type) { return type == ElementType::kFloat16 ? 0x7C00 : 0x7F80; }

// The largest number of the type that is no larger than size: its bits.
uint32_t below(ElementType type, double size) {
  uint32_t low = 0, high = infinity_bits(type) + 1;
  while (high - low > 1) {
    const uint32_t middle = (low + high) / 2;
    (defined_size(type, middle) <= size ? low : high) = middle;
  }
  return low;
}

std::vector<float> values_to_round(ElementType type) {
  std::vector<float> out;
  SequentialRandom random(Stream(5, Purpose::kInit));
  for (int i = 0; i < 200000; ++i) out.push_back(std::bit_cast<float>(random.next()));
  const auto largest = static_cast<float>(defined_size(type, infinity_bits(type) - 1));
  for (int i = 0; i < 50000; ++i) {  // where the type has its numbers, denormals and ties among them
    const uint32_t bits = random.below(infinity_bits(type));
    const double a = defined_size(type, bits), b = defined_size(type, bits + 1);
    for (const double share : {0.0, 0.25, 0.5, 0.75, random.uniform()})
      out.push_back(static_cast<float>(a + (b - a) * share) * (random.next() & 1 ? -1.0f : 1.0f));
  }
  for (const float value : {0.0f, -0.0f, largest, std::nextafterf(largest, INFINITY), std::numeric_limits<float>::max(),
                            std::numeric_limits<float>::denorm_min(), INFINITY, -INFINITY})
    out.push_back(value);
  std::erase_if(out, [](float value) { return std::isnan(value); });
  return out;
}

TEST(LowPrecision, EveryNumberHasItsValue) {
  for (const ElementType type : kLow)
    for (uint32_t bits = 0; bits < 0x10000; ++bits) {
      const float value = float_of_bits(type, static_cast<uint16_t>(bits));
      const uint32_t size = bits & 0x7FFF;
      if (size > infinity_bits(type)) {
        ASSERT_TRUE(std::isnan(value)) << bits;
      } else {
        const double wanted = size == infinity_bits(type) ? INFINITY : defined_size(type, size);
        ASSERT_EQ(std::fabs(value), wanted) << bits;
        ASSERT_EQ(std::signbit(value), bits >> 15 != 0) << bits;
        ASSERT_EQ(nearest_bits(type, value), bits);
        ASSERT_EQ(stochastic_bits(type, value, -32768), bits);
        ASSERT_EQ(stochastic_bits(type, value, 32767), bits);
      }
    }
}

TEST(LowPrecision, RoundsToNearestAndTiesToEven) {
  for (const ElementType type : kLow)
    for (const float value : values_to_round(type)) {
      const double size = std::fabs(value);
      const uint32_t down = below(type, size);
      uint32_t wanted = down;
      if (down < infinity_bits(type)) {
        const double a = defined_size(type, down), b = defined_size(type, down + 1);
        if (size - a > b - size || (size - a == b - size && down % 2 == 1)) wanted = down + 1;
      }
      const uint32_t sign = std::signbit(value) ? 0x8000 : 0;
      ASSERT_EQ(nearest_bits(type, value), sign | wanted) << value;
    }
}

TEST(LowPrecision, RoundsUpByTheShareOfTheWay) {
  SequentialRandom random(Stream(6, Purpose::kInit));
  for (const ElementType type : kLow)
    for (const float value : values_to_round(type)) {
      if (std::isinf(value)) continue;
      const double size = std::fabs(value);
      const uint32_t down = std::min(below(type, size), infinity_bits(type) - 1);
      const double a = defined_size(type, down), b = defined_size(type, down + 1);
      const auto h = static_cast<int16_t>(random.next());
      const auto share = static_cast<float>((size - a) / (b - a));
      const bool up = down + 1 < infinity_bits(type) && (h + 32768.5) / 65536 < share;
      const uint32_t sign = std::signbit(value) ? 0x8000 : 0;
      ASSERT_EQ(stochastic_bits(type, value, h), sign | (down + up)) << value << ", draw " << h;
    }
}

TEST(LowPrecision, ANaNStaysOne) {
  for (const ElementType type : kLow)
    for (const uint32_t bits : {0x7F800001u, 0x7FC00000u, 0xFFFFFFFFu, 0x7FFFFFFFu}) {
      const auto value = std::bit_cast<float>(bits);
      EXPECT_TRUE(std::isnan(float_of_bits(type, nearest_bits(type, value))));
      EXPECT_TRUE(std::isnan(float_of_bits(type, stochastic_bits(type, value, 7))));
    }
}

}  // namespace
}  // namespace signstep
