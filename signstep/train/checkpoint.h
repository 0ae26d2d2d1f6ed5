// SPDX-License-Identifier: Apache-2.0
// A checkpoint holds all that a run needs to go on bit for bit, in the safetensors format: parameters and buffers under
// torchvision's names, the rule's state as "optimizer.m.NAME" and so on, the rest as JSON in the metadata.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "signstep/io/safetensors.h"
#include "signstep/nn/engine.h"
#include "signstep/optim/optimizer.h"
#include "signstep/runs/epoch_record.h"
#include "signstep/train/run_identity.h"

namespace signstep {

// Where a run stands. Every random draw is a function of the seed and these counters, so they are the random state.
struct TrainProgress {
  uint64_t epoch = 0;                // finished and measured epochs
  uint64_t batch = 0;                // finished batches of the epoch under way; all: it is to be measured
  double loss_sum = 0;               // over the images of the epoch under way
  uint64_t images = 0, correct = 0;  // of the epoch under way
  uint64_t nonfinite = 0;            // coordinates skipped so far
  double train_seconds = 0;          // of the whole run, evaluation left out
  EpochCourse course;                // of the epoch under way
  std::vector<EpochRecord> metrics;  // of the finished epochs
};

void save_checkpoint(const std::string& path, Engine& engine, const UpdateRule& rule, const OptimizerState& state,
                     const TrainProgress& progress, const RunIdentity& run);

// A checkpoint read and checked.
class Checkpoint {
 public:
  // Throws CheckpointError when the file is damaged or of another format version, EnvironmentError when it cannot be
  // read.
  explicit Checkpoint(const std::string& path);

  RunIdentity identity() const;  // throws CheckpointError where there is none
  // Restores into an engine of the same network and a state of the same rule. Throws CheckpointError when the file
  // is of another network or optimizer, and leaves engine and state alone then.
  void restore(const UpdateRule& rule, Engine& engine, OptimizerState& state, TrainProgress& progress) const;

 private:
  std::string path_;
  SafetensorsFile file_;
  nlohmann::ordered_json state_;
};

// Weights (and running statistics, where the file has them) alone, from any safetensors file with torchvision's names.
void load_weights(const std::string& path, Engine& engine);
void load_weights(const SafetensorsFile& file, const std::string& path, Engine& engine);

}  // namespace signstep
