// SPDX-License-Identifier: Apache-2.0
// Packing, unpacking, stepping along packed signs and counting votes, for a Grid as in step_body.h. A thread takes
// eight elements, which are one byte of a word; of votes a word.
#pragma once

#include "signstep/cuda/eight.h"
#include "signstep/kernels/pack_word.h"
#include "signstep/kernels/vote_block.h"

namespace signstep {

inline constexpr uint32_t kBitsThreads = 256;
inline constexpr uint32_t kBitsElements = kEight * kBitsThreads;  // of a block
inline constexpr uint32_t kBitsWords = kBitsElements / 64;

SIGNSTEP_HD inline uint64_t bits_blocks(uint64_t n) { return (n + kBitsElements - 1) / kBitsElements; }
SIGNSTEP_HD inline uint64_t vote_blocks(const VoteBlock& b) { return (b.stride + kBitsThreads - 1) / kBitsThreads; }

struct PackArguments {
  const void* values;
  ElementType type;
  bool vectors;
  uint64_t n;
  ZeroPolicy zero;
  Stream coins;
  uint64_t* words;
  uint64_t* nonfinite;  // added to; or null
};

struct PackShared {
  uint8_t byte[kBitsThreads];
};

template <class Grid>
SIGNSTEP_HD inline void pack_body(Grid& grid, PackShared& shared, const PackArguments& a) {
  const uint64_t begin = uint64_t{grid.block()} * kBitsElements;
  grid.each([&](uint32_t thread) {
    const uint64_t first = begin + thread * kEight;
    const uint32_t count = first >= a.n ? 0 : a.n - first < kEight ? static_cast<uint32_t>(a.n - first) : kEight;
    float value[kEight] = {};
    if (count > 0) load_eight(a.values, a.type, a.vectors, first, count, value);
    uint32_t plus = 0, by_coin = 0, nonfinite = 0;
    SIGNSTEP_UNROLL
    for (uint32_t j = 0; j < kEight; ++j) {
      if (j >= count) continue;
      plus |= uint32_t{value[j] >= 0} << j;
      by_coin |= uint32_t{packs_by_coin(value[j], a.zero)} << j;
      nonfinite += !is_finite(value[j]);
    }
    if (by_coin != 0) {
      const auto coins = static_cast<uint32_t>(zero_coins(a.coins, first / 64) >> (first % 64));
      plus = (plus & ~by_coin) | (coins & by_coin);
    }
    shared.byte[thread] = static_cast<uint8_t>(plus);
    if (nonfinite != 0 && a.nonfinite != nullptr) grid.add(a.nonfinite, nonfinite);
  });
  grid.each([&](uint32_t thread) {
    const uint64_t word = uint64_t{grid.block()} * kBitsWords + thread;
    if (thread >= kBitsWords || word >= sign_words(a.n)) return;
    uint64_t bits = 0;
    for (uint32_t k = 0; k < 8; ++k) bits |= uint64_t{shared.byte[8 * thread + k]} << 8 * k;
    a.words[word] = bits;
  });
}

// What is done along the signs: values = +-1, or x = decay_factor x -+ rate.
struct SignsArguments {
  const uint64_t* words;
  uint64_t n;
  float* values;
  bool vectors;
  bool apply;
  float rate, decay_factor;
};

template <class Grid>
SIGNSTEP_HD inline void signs_body(Grid& grid, const SignsArguments& a) {
  grid.each([&](uint32_t thread) {
    const uint64_t first = uint64_t{grid.block()} * kBitsElements + thread * kEight;
    if (first >= a.n) return;
    const uint32_t count = a.n - first < kEight ? static_cast<uint32_t>(a.n - first) : kEight;
    const auto bits = static_cast<uint32_t>(a.words[first / 64] >> (first % 64));
    float value[kEight] = {};
    if (a.apply) load_eight(a.values, ElementType::kFloat32, a.vectors, first, count, value);
    SIGNSTEP_UNROLL
    for (uint32_t j = 0; j < kEight; ++j) {
      const float s = bits >> j & 1 ? 1.0f : -1.0f;
      value[j] = a.apply ? a.decay_factor * value[j] - a.rate * s : s;
    }
    store_eight(a.values, a.vectors, first, count, value);
  });
}

// The count of one word in kPlanes bit planes, as majority_vote.cc has it: it starts at the bias, so that plane `top`
// says whether enough votes came.
template <size_t kPlanes>
SIGNSTEP_HD inline uint64_t count_word(const VoteBlock& b, uint64_t w) {
  uint64_t plane[kPlanes];
  SIGNSTEP_UNROLL
  for (size_t p = 0; p < kPlanes; ++p) plane[p] = b.bias >> p & 1 ? ~uint64_t{0} : 0;
  for (size_t k = 0; k < b.workers; ++k) {
    uint64_t carry = b.votes[k * b.stride + w];
    SIGNSTEP_UNROLL
    for (size_t p = 0; p < kPlanes; ++p) {
      const uint64_t both = plane[p] & carry;
      plane[p] ^= carry;
      carry = both;
    }
  }
  const uint64_t reached = plane[kPlanes - 1];
  if (!b.ties_by_coin) return reached;
  uint64_t tied = ~reached;
  SIGNSTEP_UNROLL
  for (size_t p = 0; p + 1 < kPlanes; ++p) tied &= plane[p];
  return tied == 0 ? reached : reached | (tied & zero_coins(b.coins, b.first_word + w));
}

template <class Grid>
SIGNSTEP_HD inline void vote_body(Grid& grid, const VoteBlock& b) {
  grid.each([&](uint32_t thread) {
    const uint64_t w = uint64_t{grid.block()} * kBitsThreads + thread;
    if (w >= b.stride) return;
    uint64_t word = 0;
    switch (b.top + 1) {
      case kLowPlanes + 1: word = count_word<kLowPlanes + 1>(b, w); break;
      case kLowPlanes + 3: word = count_word<kLowPlanes + 3>(b, w); break;
      case kLowPlanes + 6: word = count_word<kLowPlanes + 6>(b, w); break;
      default: word = count_word<kLowPlanes + 14>(b, w);
    }
    b.majority[w] = word;
  });
}

}  // namespace signstep
