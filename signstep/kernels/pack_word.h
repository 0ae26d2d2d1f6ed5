// SPDX-License-Identifier: Apache-2.0
// Internal to sign_bits: one word, element by element: the specification, and the last word of the vector code.
#pragma once

#include <cmath>

#include "signstep/kernels/sign_bits.h"
#include "signstep/kernels/zero_coins.h"

namespace signstep {

// Word w of a tensor from its `count` <= 64 elements; adds to `nonfinite`.
inline uint64_t pack_word_ref(const float* values, size_t count, size_t w, ZeroPolicy zero, const Stream& coins,
                              uint64_t& nonfinite) {
  uint64_t word = 0;
  for (size_t k = 0; k < count; ++k) {
    const bool finite = std::isfinite(values[k]);
    bool plus = values[k] > 0;
    if (!finite || (values[k] == 0 && zero == ZeroPolicy::kRandom)) {
      plus = zero_coins(coins, w) >> k & 1;
    } else if (values[k] == 0) {
      plus = true;
    }
    nonfinite += !finite;
    word |= uint64_t{plus} << k;
  }
  return word;
}

}  // namespace signstep
