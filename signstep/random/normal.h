// SPDX-License-Identifier: Apache-2.0
// Standard normal numbers from IEEE operations alone (add, multiply, square root, shifts), so the same bits everywhere.
// Source: Box, Muller 1958, "A note on the generation of random normal deviates", Ann. Math. Statist. 29(2).
//
// In every aligned run of 32 elements, element k < 16 and element k + 16 are one pair: with W[i] word i of the stream,
//   r = sqrt(-2 ln((floor(W[k] / 2^8) + 1) / 2^24)),   a = 2 pi W[k + 16] / 2^32,
//   xi[k] = r cos a,   xi[k + 16] = r sin a.
// Relative error of the evaluation below 3.0e-7. The radius has 24 bits, so |xi| <= 5.77 and the distribution function
// is within 2^-22 of Phi.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "signstep/random/random.h"

namespace signstep {

struct NormalPair {
  float cosine, sine;
};
NormalPair normal_pair(uint32_t radius_word, uint32_t angle_word);

// xi of element i.
float normal_at(const Stream& stream, uint64_t i);

// out[j] = xi of element first + j. first is a multiple of 32. With AVX-512 about 62 vector operations per 16 numbers.
void fill_normal(const Stream& stream, uint64_t first, std::span<float> out);
void fill_normal_ref(const Stream& stream, uint64_t first, std::span<float> out);

}  // namespace signstep
