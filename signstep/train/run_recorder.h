// SPDX-License-Identifier: Apache-2.0
// What run.json says of a run from its first session to its last.
#pragma once

#include <string>
#include <vector>

#include "signstep/data/dataset.h"
#include "signstep/data/split.h"
#include "signstep/nn/engine.h"
#include "signstep/options/train_options.h"
#include "signstep/runs/run_record.h"
#include "signstep/train/run_identity.h"

namespace signstep {

class RunRecorder {
 public:
  RunRecorder(const TrainOptions& options, const RunIdentity& run, const Dataset& data, const Engine& engine,
              const Split& split);

  const RunRecord& record() const { return record_; }
  // The run that this folder's run.json tells of goes on: keeps its start, its program and its sessions. Throws
  // CheckpointError when it has other settings or saw other images. A file that is gone or damaged tells nothing.
  void continues(const std::string& run_folder, const RunIdentity& run);
  bool was_finished() const { return was_finished_; }

  // The record with this session, which starts at that step.
  const RunRecord& start(uint64_t step);
  // The record of a run that ended with that status (RunRecord::kFinished, ...).
  const RunRecord& finish(const std::string& status, const std::vector<EpochRecord>& epochs);

 private:
  RunRecord record_;
  SessionRecord session_;
  bool was_finished_ = false;
};

}  // namespace signstep
