// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "signstep/kernels/pack_word.h"

namespace signstep {

uint64_t pack_signs_ref(std::span<const float> values, ZeroPolicy zero, const Stream& coins,
                        std::span<uint64_t> words) {
  uint64_t nonfinite = 0;
  for (size_t w = 0; w < words.size(); ++w) {
    const size_t count = std::min<size_t>(64, values.size() - 64 * w);
    words[w] = pack_word_ref(values.data() + 64 * w, count, w, zero, coins, nonfinite);
  }
  return nonfinite;
}

void unpack_signs_ref(std::span<const uint64_t> words, std::span<float> values) {
  for (size_t i = 0; i < values.size(); ++i) values[i] = words[i / 64] >> (i % 64) & 1 ? 1.0f : -1.0f;
}

void apply_signs_ref(std::span<const uint64_t> words, double lr, double decay_factor, std::span<float> x) {
  const auto rate = static_cast<float>(lr), k = static_cast<float>(decay_factor);
  for (size_t i = 0; i < x.size(); ++i) {
    const float s = words[i / 64] >> (i % 64) & 1 ? 1.0f : -1.0f;
    x[i] = k * x[i] - rate * s;
  }
}

}  // namespace signstep
