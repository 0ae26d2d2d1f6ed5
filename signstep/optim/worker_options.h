// SPDX-License-Identifier: Apache-2.0
// How many workers share a run, and how those vote whose rule votes (docs/distributed.md).
#pragma once

#include <cstdint>

#include "signstep/base/option.h"
#include "signstep/kernels/majority_vote.h"

namespace signstep {

// What a hostile worker votes in the place of its signs, every step.
enum class VoteAttack {
  kSignFlip,  // their opposites
  kRandom,    // fair coins of its own
};

struct WorkerOptions {
  int64_t workers = 1;  // [1, kMostWorkers]; each takes an equal share of every batch
  TieRule vote_ties = TieRule::kRandom;
  int64_t adversaries = 0;  // [0, workers]: the last so many ranks are hostile, for study
  VoteAttack attack = VoteAttack::kSignFlip;

  bool is_hostile(size_t rank, size_t ranks) const { return rank + static_cast<size_t>(adversaries) >= ranks; }
};

void describe(OptionList& list, WorkerOptions& options);

// Throws OptionError where there are more adversaries than workers, or one without others to outvote it.
void require_possible(const WorkerOptions& options);

}  // namespace signstep
