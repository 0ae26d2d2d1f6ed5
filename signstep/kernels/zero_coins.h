// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "signstep/random/random.h"

namespace signstep {

// The fair coins of elements 64 w .. 64 w + 63, as bits: bit i mod 128 of the 128-bit group i / 128 is element i's.
SIGNSTEP_HD inline uint64_t zero_coins(const Stream& coins, uint64_t w) {
  const PhiloxCounter words = coins.group(static_cast<uint32_t>(w / 2));
  return w % 2 ? uint64_t{words[3]} << 32 | words[2] : uint64_t{words[1]} << 32 | words[0];
}

}  // namespace signstep
