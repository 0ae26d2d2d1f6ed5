// SPDX-License-Identifier: Apache-2.0
// What `signstep train` is told: defaults, another run, a file, flags.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cli/console.h"
#include "cli/flags.h"
#include "signstep/options/train_options.h"
#include "signstep/wire/rendezvous.h"

namespace signstep::cli {

// Of this session only: not part of what a run is.
struct SessionOptions {
  double stop_after = 0;
  double worker_timeout = 300;  // seconds
  WorkerBackend worker_backend = WorkerBackend::kGloo;
  bool quiet = false;
  bool progress_json = false;
  bool tensorboard = false;
  LogLevel log_level = LogLevel::kInfo;
};

struct TrainCommand {
  TrainOptions options;
  SessionOptions session;
  std::string config, like;
  bool resume = false, resume_or_start = false, dry_run = false;
  std::unique_ptr<Flags> flags;

  OptionList list();  // of all flags; points into this
};

// Fills in the options, and output where none is given. Returns what a user should know of how they came about, a
// sentence each. Throws OptionError.
std::vector<std::string> read_settings(TrainCommand& command);

}  // namespace signstep::cli
