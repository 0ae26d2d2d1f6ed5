// SPDX-License-Identifier: Apache-2.0
// A checkpoint holds all that a run needs to go on bit for bit, in the safetensors format: parameters and buffers under
// torchvision's names, the rule's state as "optimizer.m.NAME" and so on, the rest as JSON in the metadata.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "signstep/io/safetensors.h"
#include "signstep/train/learner.h"
#include "signstep/train/progress.h"
#include "signstep/train/run_identity.h"

namespace signstep {

// The files of ranks 1, 2, ... of the last checkpoint that was saved or restored.
struct RankParts {
  std::optional<uint64_t> step = {};
  std::vector<std::string> checksums = {};
};

// One worker.
void save_checkpoint(const std::string& path, Learner& learner, const TrainProgress& progress, const RunIdentity& run);

// Several: each rank saves its own at its path; the last to be written is rank 0's, which names the others' checksums,
// so that the checkpoint is whole where that file is. Saved again at the same step, with more progress and nothing else
// that is new, only rank 0's is written: there is no moment at which it names files that are not there. Collective;
// also throws what the world throws.
void save_checkpoint(const std::string& path, Learner& learner, const TrainProgress& progress, const RunIdentity& run,
                     Communicator& world, RankParts& parts);

// A checkpoint read and checked.
class Checkpoint {
 public:
  // Throws CheckpointError when the file is damaged or of another format version, EnvironmentError when it cannot be
  // read.
  explicit Checkpoint(const std::string& path);

  // Parameters and running statistics, each norm's together; they point into this.
  std::vector<TensorEntry> network() const;
  uint64_t step() const;                            // taken so far
  std::vector<std::string> class_names() const;     // of pictures of a folder; else none
  std::optional<int64_t> image_side() const;        // pixels, likewise; none in files of earlier versions
  RunIdentity identity() const;                     // throws CheckpointError where there is none
  const std::string& sha256() const;                // of the file
  std::vector<std::string> rank_checksums() const;  // of the files of ranks 1, 2, ...; none for one worker
  TrainProgress progress() const;                   // throws CheckpointError; of several ranks, rank 0's is in force
  // Restores into a learner of the same network and rule. Throws CheckpointError when the file is of another, and
  // leaves learner and progress alone then.
  void restore(Learner& learner, TrainProgress& progress) const;

 private:
  std::optional<nlohmann::ordered_json> of_folder() const;

  std::string path_;
  SafetensorsFile file_;
  nlohmann::ordered_json state_;
};

// Weights (and running statistics, where the file has them) alone, from any safetensors file with torchvision's names.
void load_weights(const std::string& path, Engine& engine);
void load_weights(const SafetensorsFile& file, const std::string& path, Engine& engine);

}  // namespace signstep
