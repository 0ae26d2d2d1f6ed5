// SPDX-License-Identifier: Apache-2.0
// The vote as a plain count of each bit: the specification that majority_vote.cc is held against.
#include "signstep/kernels/vote_block.h"

namespace signstep {

void count_votes_ref(const VoteBlock& b, size_t begin, size_t end) {
  for (size_t w = begin; w < end; ++w) {
    uint64_t word = 0;
    for (size_t bit = 0; bit < 64; ++bit) {
      size_t count = 0;
      for (size_t k = 0; k < b.workers; ++k) count += b.votes[k * b.stride + w] >> bit & 1;
      bool plus = 2 * count > b.workers;
      if (2 * count == b.workers) plus = b.rule == TieRule::kPlus || (zero_coins(b.coins, b.first_word + w) >> bit & 1);
      word |= uint64_t{plus} << bit;
    }
    b.majority[w] = word;
  }
}

void majority_of_ref(std::span<const uint64_t> votes, size_t workers, const VoteTies& ties,
                     std::span<uint64_t> majority) {
  count_votes_ref(VoteBlock(votes, workers, ties, majority), 0, majority.size());
}

}  // namespace signstep
