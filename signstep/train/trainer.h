// SPDX-License-Identifier: Apache-2.0
// One training run, from options to a finished run folder.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "signstep/nn/engine_table.h"
#include "signstep/options/train_options.h"
#include "signstep/runs/batch_progress.h"
#include "signstep/runs/run_record.h"
#include "signstep/wire/communicator.h"

namespace signstep {

// Why a run stops before its last epoch. The caller turns signals and time limits into these.
enum class StopReason { kNone, kInterrupt, kTerminate, kTime };

struct TrainControl {
  bool resume = false;  // continue the run in options.output with its recorded settings
  // Asked after each step and before each batch of an evaluation.
  std::function<StopReason()> stop = [] { return StopReason::kNone; };
  // The ranks of a run with several workers, as many as the options say; null: one worker. train() is collective then.
  Communicator* world = nullptr;
  size_t ranks_here = 1;  // of them on this machine, which share its cores
};

// Told what happens; the library itself prints nothing. Called on the training thread.
class TrainObserver {
 public:
  virtual ~TrainObserver() = default;
  virtual void started(const std::string& /*run_folder*/, const RunRecord& /*run*/) {}
  virtual void batch(const BatchProgress&) {}
  virtual void evaluating(const char* /*split*/) {}
  virtual void epoch(const EpochRecord& /*record*/) {}
  virtual void note(const std::string& /*message*/) {}  // worth a line in the log
  virtual void warning(const std::string& /*message*/) {}
  virtual void failed(const std::string& /*why*/) {}  // what train() is about to throw, for a log that outlives it
};

struct TrainResult {
  StopReason stopped = StopReason::kNone;  // kNone: the run is complete
  std::optional<EpochRecord> last_epoch;   // none before the first has ended
  double images_per_second = 0;            // of this session's training steps
  std::string run_folder;
};

// The checkpoint of an epoch is saved before its accuracy is measured, and again with the figures. Resuming a finished
// run changes nothing. Throws Error: OptionError before anything is written, CheckpointError when what is to be resumed
// is damaged or of another run, DivergedError at a non-finite loss (the last good checkpoint stays), EnvironmentError
// when the disk refuses, a rank has ended or differs. Over ranks, rank 0 writes the folder, and every rank its own part
// of each checkpoint; where one is asked to stop all do.
TrainResult train(TrainOptions options, const EngineTable& engines, const TrainControl& control,
                  TrainObserver& observer);

}  // namespace signstep
