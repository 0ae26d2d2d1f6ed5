// SPDX-License-Identifier: Apache-2.0
// Internal to sign_bits: one word, element by element: the specification, and the last word of the vector code.
#pragma once

#include "signstep/kernels/sign_bits.h"
#include "signstep/kernels/zero_coins.h"

namespace signstep {

// Whether a coin decides; where it does not, 1 stands for values of at least 0.
SIGNSTEP_HD inline bool packs_by_coin(float value, ZeroPolicy zero) {
  return !is_finite(value) || (value == 0 && zero == ZeroPolicy::kRandom);
}

// Word w of a tensor from its `count` <= 64 elements; adds to `nonfinite`.
inline uint64_t pack_word_ref(const float* values, size_t count, size_t w, ZeroPolicy zero, const Stream& coins,
                              uint64_t& nonfinite) {
  uint64_t word = 0;
  for (size_t k = 0; k < count; ++k) {
    const bool plus = packs_by_coin(values[k], zero) ? zero_coins(coins, w) >> k & 1 : values[k] >= 0;
    nonfinite += !is_finite(values[k]);
    word |= uint64_t{plus} << k;
  }
  return word;
}

}  // namespace signstep
