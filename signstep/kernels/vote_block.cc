// SPDX-License-Identifier: Apache-2.0
#include "signstep/kernels/vote_block.h"

#include <algorithm>
#include <bit>

#include "signstep/base/error.h"

namespace signstep {

void require_vote_size(uint64_t workers, uint64_t words, uint64_t first_word) {
  if (workers < 1 || workers > kMostWorkers)
    throw OptionError(fmt::format("a vote of {} workers; wanted 1 to {}", workers, kMostWorkers));
  if (words > kMostWords || first_word > kMostWords - words)
    throw OptionError(
        fmt::format("a vote on words of a message from {} on, {} of them; wanted words below 2^33; vote in "
                    "more messages",
                    first_word, words));
}

VoteBlock::VoteBlock(std::span<const uint64_t> all_votes, size_t worker_count, const VoteTies& ties,
                     std::span<uint64_t> result)
    : votes(all_votes.data()),
      majority(result.data()),
      stride(result.size()),
      workers(worker_count),
      first_word(ties.first_word),
      rule(ties.rule),
      coins(ties.seed, Purpose::kTieCoin, ties.step, ties.message, kSharedRank) {
  require_vote_size(workers, stride, first_word);
  const bool even = workers % 2 == 0;
  ties_by_coin = even && rule == TieRule::kRandom;
  wanted = even && rule == TieRule::kPlus ? workers / 2 : workers / 2 + 1;
  const auto enough = static_cast<size_t>(std::bit_width(std::max(wanted, workers - wanted + 1) - 1));
  for (const size_t high : kHighPlanes) {
    top = kLowPlanes + high - 1;
    if (top >= enough) break;
  }
  bias = (size_t{1} << top) - wanted;
}

}  // namespace signstep
