// SPDX-License-Identifier: Apache-2.0
// Internal to majority_vote: a count with everything resolved, shared by the vector code and the reference.
#pragma once

#include "signstep/kernels/majority_vote.h"
#include "signstep/kernels/zero_coins.h"

namespace signstep {

inline constexpr uint64_t kMostWords = uint64_t{1} << 33;  // two for each of the random counter's 2^32 groups
// A counter's planes: those that a tree of eight votes fills, and above them enough for fewer than 16, 64, 512 workers
// and for all.
inline constexpr size_t kLowPlanes = 3;
inline constexpr size_t kHighPlanes[] = {1, 3, 6, 14};

// Throws OptionError unless there are 1 to kMostWorkers workers, and the message's words [first_word, first_word +
// words) are below kMostWords.
void require_vote_size(uint64_t workers, uint64_t words, uint64_t first_word);

struct VoteBlock {
  // Throws OptionError for workers, words, step or message out of range.
  VoteBlock(std::span<const uint64_t> all_votes, size_t worker_count, const VoteTies& ties, std::span<uint64_t> result);

  const uint64_t* votes;
  uint64_t* majority;
  size_t stride;  // words of one worker
  size_t workers;
  uint64_t first_word;
  TieRule rule;
  Stream coins;
  bool ties_by_coin;  // then a tie is a sum of 2^top - 1: one vote is missing
  size_t wanted;      // votes that make a 1
  // The count starts at bias, so that bit `top` of the sum says whether `wanted` was reached; the sum is < 2^(top + 1).
  size_t top = 0, bias;
};

// Words [begin, end) of the result, bit by bit.
void count_votes_ref(const VoteBlock& b, size_t begin, size_t end);

}  // namespace signstep
