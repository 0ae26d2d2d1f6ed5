// SPDX-License-Identifier: Apache-2.0
// Where a run stands, and what has become of it so far.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "signstep/runs/epoch_record.h"
#include "signstep/train/evaluate.h"
#include "signstep/train/learner.h"

namespace signstep {

// What an epoch's end has measured.
struct EpochFigures {
  std::optional<Evaluation> validation, test;  // none: not measured
  std::optional<double> images_per_second;     // of this session; none where it took no step
};

// Sums over images of the epoch under way.
struct TrainSums {
  double loss = 0;
  uint64_t images = 0, correct = 0;
};

// Every random draw is a function of the seed and these counters, so they are the random state.
struct TrainProgress {
  uint64_t epoch = 0;                // finished and measured epochs
  uint64_t batch = 0;                // finished batches of the epoch under way; all: it is to be measured
  TrainSums sums;                    // until now
  TrainSums at_point;                // until the curve's newest point
  uint64_t nonfinite = 0;            // coordinates skipped so far
  double train_seconds = 0;          // of the whole run, evaluation left out
  EpochCourse course;                // of the epoch under way
  WireRecord wire;                   // of the epoch under way
  std::vector<EpochRecord> metrics;  // of the finished epochs

  // The run's t-th step (from 1) was taken on that many images. The curve gets about 60 points an epoch, and every
  // event.
  void add(const LearnerStep& step, uint64_t t, size_t count, uint64_t batches_per_epoch);

  double mean_loss() const;  // of the epoch under way, which has begun
  double accuracy() const;   // percent

  // Ends the epoch under way after t steps, the last at that rate. with_phase: for the sign rules.
  const EpochRecord& end_epoch(const EpochFigures& figures, uint64_t t, double learning_rate, bool with_phase);
};

}  // namespace signstep
