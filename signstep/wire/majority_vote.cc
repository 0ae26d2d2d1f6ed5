// SPDX-License-Identifier: Apache-2.0
#include "signstep/wire/majority_vote.h"

#include <vector>

#include "signstep/wire/slices.h"

namespace signstep {

void majority_vote(Communicator& communicator, std::span<uint64_t> bits, const VoteOptions& options,
                   Executor& executor) {
  const size_t ranks = communicator.size();
  if (ranks == 1) return;
  const std::vector<uint64_t> votes = slices_of_all(communicator, bits);
  std::vector<uint64_t> majority(slice_words(bits.size(), ranks));
  const VoteTies ties{options.ties, options.seed, options.step, options.message, communicator.rank() * majority.size()};
  majority_of(votes, ranks, ties, majority, executor);
  join_slices(communicator, majority, bits);
}

}  // namespace signstep
