// SPDX-License-Identifier: Apache-2.0
// The record of an epoch that has just been measured.
#pragma once

#include <optional>

#include "signstep/train/checkpoint.h"
#include "signstep/train/trainer.h"

namespace signstep {

struct EpochFigures {
  uint64_t step = 0;         // taken so far
  double learning_rate = 0;  // of the last one
  std::optional<Evaluation> validation;
  Evaluation test;
  std::optional<double> images_per_second;  // of this session; none where it took no step
};

// progress: still of the epoch that ended. with_phase: for the sign rules.
EpochRecord epoch_record(const TrainProgress& progress, const EpochFigures& figures, bool with_phase);

// Correct ones of so many, in percent.
double percent(uint64_t part, uint64_t whole);

}  // namespace signstep
