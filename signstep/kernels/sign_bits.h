// SPDX-License-Identifier: Apache-2.0
// Signs as bits, for the 1-bit wire: element i is bit i mod 64 of word i / 64, 1 means +1, and the bits after the last
// element are 0.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "signstep/kernels/step.h"
#include "signstep/parallel/executor.h"
#include "signstep/random/random.h"

namespace signstep {

constexpr size_t sign_words(size_t elements) { return (elements + 63) / 64; }

// Packs sign(values[i]). +-0 is the coin of element i for ZeroPolicy::kRandom and +1 for kPlus; a wire cannot say "no
// step", so kSkip must not be asked for. NaN and infinity vote by coin under either policy. Element i's coin is bit
// i mod 128 of the 128-bit group i / 128 of `coins` (Purpose::kZeroCoin), the one sign_step takes.
// words.size() == sign_words(values.size()); values.size() < 2^39. Returns how many values were NaN or infinite.
// Cost: 4 bytes read, 1/8 written per element, at about memory speed. The same bits as the reference for any executor
// and SIMD target.
uint64_t pack_signs(std::span<const float> values, ZeroPolicy zero, const Stream& coins, std::span<uint64_t> words,
                    Executor& executor);
uint64_t pack_signs_ref(std::span<const float> values, ZeroPolicy zero, const Stream& coins, std::span<uint64_t> words);

// values[i] = +1 or -1 by bit i. words.size() >= sign_words(values.size()).
void unpack_signs(std::span<const uint64_t> words, std::span<float> values, Executor& executor);
void unpack_signs_ref(std::span<const uint64_t> words, std::span<float> values);

// x[i] = k x[i] - lr s with s = +1 or -1 by bit i, float32, each operation rounded once: sign_step's step along signs
// that came from elsewhere, with its bits. lr >= 0 and k are rounded to float first. words.size() >=
// sign_words(x.size()). Cost: 8 bytes moved and 1/8 read per element.
void apply_signs(std::span<const uint64_t> words, double lr, double decay_factor, std::span<float> x,
                 Executor& executor);
void apply_signs_ref(std::span<const uint64_t> words, double lr, double decay_factor, std::span<float> x);

}  // namespace signstep
