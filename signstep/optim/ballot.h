// SPDX-License-Identifier: Apache-2.0
// The signs of a step's tensors as bits, and their vote. One message a step: tensors start on words of their own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "signstep/optim/worker_options.h"
#include "signstep/parallel/executor.h"
#include "signstep/wire/communicator.h"

namespace signstep {

// The opposite of every sign of a tensor of that many elements; bits after the last stay 0.
void flip_signs(std::span<uint64_t> words, size_t elements);

class Ballot {
 public:
  // sizes: elements of each tensor. All bits start as 0.
  explicit Ballot(std::span<const size_t> sizes);

  std::span<uint64_t> words(size_t tensor) {
    return std::span(bits_).subspan(first_[tensor], first_[tensor + 1] - first_[tensor]);
  }

  std::span<uint64_t> bits() { return bits_; }                       // of all tensors
  size_t first_word(size_t tensor) const { return first_[tensor]; }  // of a tensor's, in bits()
  size_t elements(size_t tensor) const { return sizes_[tensor]; }

  // At a rank that options call hostile the bits become others than were said; seed and step are those of its coins.
  void attack_if_hostile(const Communicator& world, const WorkerOptions& options, uint64_t seed, uint64_t step);

  // The bits become the majority's (wire/majority_vote.h), hostile ranks' votes among them; seed and step are those of
  // a tie's coin too. Collective; throws as Communicator does.
  void vote(Communicator& world, const WorkerOptions& options, uint64_t seed, uint64_t step, Executor& executor);

 private:
  std::vector<size_t> sizes_, first_;  // first_: words before each tensor, and last all of them
  std::vector<uint64_t> bits_;
};

}  // namespace signstep
