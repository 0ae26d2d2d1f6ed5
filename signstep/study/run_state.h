// SPDX-License-Identifier: Apache-2.0
// How far a planned run is, from its folder alone.
#pragma once

#include <limits>
#include <string>

#include "signstep/study/experiment_plan.h"

namespace signstep {

enum class RunStatus { kAbsent, kPartial, kFinished, kDiverged };

struct RunState {
  RunStatus status = RunStatus::kAbsent;
  uint64_t epochs = 0;  // finished ones
  // Of the last finished epoch; NaN before the first. Percent, seconds.
  double validation_accuracy = std::numeric_limits<double>::quiet_NaN();
  double test_accuracy = std::numeric_limits<double>::quiet_NaN();
  double train_seconds = std::numeric_limits<double>::quiet_NaN();

  bool done() const { return status == RunStatus::kFinished || status == RunStatus::kDiverged; }
};

// Throws DataError for a damaged folder.
RunState run_state(const PlannedRun& run);

// Throws OptionError when the folder holds a run with other settings. Where the experiment leaves something open
// (engine or precision auto, threads 0), any value will do; folders, loader threads and checkpoint intervals never
// matter.
void require_same_run(const PlannedRun& run);

}  // namespace signstep
