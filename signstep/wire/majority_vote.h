// SPDX-License-Identifier: Apache-2.0
// Majority vote over ranks with one bit a coordinate on the wire (Bernstein et al. 2018, arXiv 1802.04434). Each rank
// counts a slice of everyone's votes: an all-to-all brings it, an all-gather returns the result.
#pragma once

#include <cstdint>
#include <span>

#include "signstep/kernels/majority_vote.h"
#include "signstep/wire/communicator.h"
#include "signstep/wire/slices.h"

namespace signstep {

struct VoteOptions {
  TieRule ties = TieRule::kRandom;
  uint64_t seed = 0;     // with step and message the same at all ranks: tied coordinates share a coin
  uint64_t step = 0;     // [0, 2^48)
  uint32_t message = 0;  // [0, 2^24): votes of one step that differ in it draw apart
};

// What a rank sends for a vote on so many words of 64 coordinates: 2 (M - 1) / M bits a coordinate, rounded up to
// words.
constexpr uint64_t vote_bytes(uint64_t words, uint64_t ranks) {
  return 2 * (ranks - 1) * slice_words(words, ranks) * 8;
}

// bits, packed by pack_signs, become the majority's at every rank; bits that no rank has set stay 0. The same result
// for any number of threads and any owner of a slice. A world of one uses no wire. Throws EnvironmentError as
// communicator.h says, OptionError for a step or message out of range; then bits are as before. Scratch: 2 + 1 / M
// times the bits.
void majority_vote(Communicator& communicator, std::span<uint64_t> bits, const VoteOptions& options,
                   Executor& executor);

}  // namespace signstep
