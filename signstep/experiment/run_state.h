// SPDX-License-Identifier: Apache-2.0
// How far a planned run is, from its folder alone.
#pragma once

#include <limits>
#include <string>

#include "signstep/experiment/experiment_plan.h"

namespace signstep {

enum class RunStatus { kAbsent, kPartial, kFinished, kDiverged, kDamaged };

struct RunState {
  RunStatus status = RunStatus::kAbsent;
  uint64_t epochs = 0;  // finished ones; 0 for a damaged run
  // Of the last finished epoch; NaN before the first. Percent, seconds.
  double validation_accuracy = std::numeric_limits<double>::quiet_NaN();
  double test_accuracy = std::numeric_limits<double>::quiet_NaN();
  double train_seconds = std::numeric_limits<double>::quiet_NaN();
  // What rank 0 sent in all steps, and what a float32 sum of every gradient would have; 0 for one worker.
  uint64_t sent_bytes = 0, float32_bytes = 0;
  Settings left_open = {};   // engine, device and precision that the experiment left to the machine, as it chose
  std::string data = {};     // checksum of the images; "" before run.json is there
  std::string problem = {};  // of a damaged run: what is wrong with which file, and what to do

  bool done() const { return status == RunStatus::kFinished || status == RunStatus::kDiverged; }
};

// Never throws for what the folder holds: a file that is not there beside others or cannot be read, that has the wrong
// types, a run of other settings (as require_same_run has it), a finished run without an accuracy, and a metrics.jsonl
// that run.json contradicts are kDamaged.
RunState run_state(const PlannedRun& run);

// Throws OptionError when the folder holds a run with other settings. Where the experiment leaves something open
// (engine or precision auto, threads 0), any value will do; folders, loader threads and checkpoint intervals never
// matter. Settings that cannot be read are passed over: run_state says so.
void require_same_run(const PlannedRun& run);

}  // namespace signstep
