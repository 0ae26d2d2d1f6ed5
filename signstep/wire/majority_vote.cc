// SPDX-License-Identifier: Apache-2.0
#include "signstep/wire/majority_vote.h"

#include <algorithm>
#include <bit>
#include <vector>

namespace signstep {

static_assert(std::endian::native == std::endian::little, "words travel as they lie, and the wire is little-endian");

void majority_vote(Communicator& communicator, std::span<uint64_t> bits, const VoteOptions& options,
                   Executor& executor) {
  const size_t ranks = communicator.size();
  if (ranks == 1) return;
  const size_t slice = (bits.size() + ranks - 1) / ranks;
  std::vector<uint64_t> all(ranks * slice), votes(ranks * slice), majority(slice);
  std::copy(bits.begin(), bits.end(), all.begin());
  communicator.all_to_all(std::as_bytes(std::span(all)), std::as_writable_bytes(std::span(votes)));
  const VoteTies ties{options.ties, options.seed, options.step, options.message, communicator.rank() * slice};
  majority_of(votes, ranks, ties, majority, executor);
  communicator.all_gather(std::as_bytes(std::span(majority)), std::as_writable_bytes(std::span(all)));
  std::copy_n(all.begin(), bits.size(), bits.begin());
}

}  // namespace signstep
