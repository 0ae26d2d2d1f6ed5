// SPDX-License-Identifier: Apache-2.0
#include "signstep/train/restore.h"

#include <optional>

#include "signstep/base/error.h"
#include "signstep/runs/run_folder.h"

namespace signstep {

std::string restore_newest(const std::string& run_folder, const RunIdentity& run, Learner& learner,
                           TrainProgress& progress, const std::function<void(const std::string&)>& warn) {
  std::string reasons;
  for (const std::string& path : list_checkpoints(run_folder)) {
    std::optional<Checkpoint> checkpoint;
    std::optional<RunIdentity> recorded;
    try {
      checkpoint.emplace(path);
      recorded = checkpoint->identity();
    } catch (const CheckpointError& e) {
      warn(e.what());
      reasons += fmt::format("\n  {}", e.what());
      continue;
    }
    require_same_identity(*recorded, run, path);
    checkpoint->restore(learner, progress);
    return path;
  }
  if (!reasons.empty()) throw CheckpointError(fmt::format("no checkpoint of {} can be used:{}", run_folder, reasons));
  return "";
}

}  // namespace signstep
