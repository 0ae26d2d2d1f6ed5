// SPDX-License-Identifier: Apache-2.0
#include "signstep/optim/ballot.h"

#include "signstep/kernels/sign_bits.h"
#include "signstep/kernels/zero_coins.h"
#include "signstep/wire/majority_vote.h"

namespace signstep {

namespace {

void clear_padding(std::span<uint64_t> words, size_t elements) {
  if (elements % 64 != 0) words.back() &= (uint64_t{1} << elements % 64) - 1;
}

}  // namespace

void flip_signs(std::span<uint64_t> words, size_t elements) {
  for (uint64_t& word : words) word = ~word;
  clear_padding(words, elements);
}

Ballot::Ballot(std::span<const size_t> sizes) : sizes_(sizes.begin(), sizes.end()), first_{0} {
  for (const size_t size : sizes_) first_.push_back(first_.back() + sign_words(size));
  bits_.resize(first_.back());
}

void Ballot::attack_if_hostile(const Communicator& world, const WorkerOptions& options, uint64_t seed, uint64_t step) {
  if (!options.is_hostile(world.rank(), world.size())) return;
  for (size_t t = 0; t < sizes_.size(); ++t) {
    const std::span<uint64_t> own = words(t);
    if (options.attack == VoteAttack::kSignFlip) {
      flip_signs(own, sizes_[t]);
      continue;
    }
    const Stream coins(seed, Purpose::kAttack, step, static_cast<uint32_t>(t), static_cast<uint32_t>(world.rank()));
    for (size_t w = 0; w < own.size(); ++w) own[w] = zero_coins(coins, w);
    clear_padding(own, sizes_[t]);
  }
}

void Ballot::vote(Communicator& world, const WorkerOptions& options, uint64_t seed, uint64_t step, Executor& executor) {
  attack_if_hostile(world, options, seed, step);
  majority_vote(world, bits_, {.ties = options.vote_ties, .seed = seed, .step = step}, executor);
}

}  // namespace signstep
