// SPDX-License-Identifier: Apache-2.0
#include "signstep/random/normal_element.h"

namespace signstep {

NormalPair normal_pair(uint32_t radius_word, uint32_t angle_word) { return normal_pair_of(radius_word, angle_word); }

float normal_at(const Stream& stream, uint64_t i) {
  const uint64_t k = i / 32 * 32 + i % 16;
  return normal_of(normal_pair_of(stream.word(k), stream.word(k + 16)), i);
}

void fill_normal_ref(const Stream& stream, uint64_t first, std::span<float> out) {
  for (size_t j = 0; j < out.size(); ++j) out[j] = normal_at(stream, first + j);
}

}  // namespace signstep
