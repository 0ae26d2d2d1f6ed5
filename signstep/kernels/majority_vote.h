// SPDX-License-Identifier: Apache-2.0
// The majority of M workers' signs, packed as sign_bits.h has them (Bernstein et al. 2018, arXiv 1802.04434, section
// 6).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "signstep/parallel/executor.h"
#include "signstep/random/random.h"

namespace signstep {

inline constexpr size_t kMostWorkers = 0xFFFF - 1;  // ranks below kSharedRank

// What as many +1 as -1 give, which only an even number of workers can.
enum class TieRule : uint8_t {
  kRandom,  // a fair coin, the same whoever counts
  kPlus,    // +1
};

// Which of the votes' words these are and how their ties fall. The coin of bit b of word w is bit b of the 64 that
// zero_coins.h gives for word w of the stream Purpose::kTieCoin with rank kSharedRank.
struct VoteTies {
  TieRule rule = TieRule::kRandom;
  uint64_t seed = 0;
  uint64_t step = 0;  // [0, 2^48)
  uint32_t message =
      0;  // [0, 2^24), in the place of the counter's tensor: votes of one step that differ in it draw apart
  uint64_t first_word = 0;  // majority[0] is this word of the message; words of a message < 2^33
};

// Bit b of majority[w] is 1 where more than half of votes[k * majority.size() + w], k = 0 .. workers - 1, have it, and
// as the ties say where just half have it; where none has it (padding) it is 0. workers in [1, kMostWorkers];
// votes.size() == workers * majority.size(); they must not overlap. The same bits as majority_of_ref for any executor
// and SIMD target. Throws OptionError, before anything is written, where workers, step or message are out of range.
// Cost: the votes are read once; bit-sliced adders, 4.5 operations a vector of votes at 8 workers, and for ties by coin
// one Philox group for 128 bits of the result.
void majority_of(std::span<const uint64_t> votes, size_t workers, const VoteTies& ties, std::span<uint64_t> majority,
                 Executor& executor);
void majority_of_ref(std::span<const uint64_t> votes, size_t workers, const VoteTies& ties,
                     std::span<uint64_t> majority);

}  // namespace signstep
