// SPDX-License-Identifier: Apache-2.0
// An experiment spread out: rows of the table, trials of each row, and the runs that they need.
#pragma once

#include <string>
#include <vector>

#include "signstep/experiment/experiment.h"
#include "signstep/experiment/tuning_search.h"
#include "signstep/options/train_options.h"

namespace signstep {

struct PlannedRow {
  size_t method = 0;             // of the experiment's list
  std::string name;              // "switch", or with a grid "switch, batch 8"
  Settings common;               // its point of the experiment's grid
  Settings settings;             // all that its runs share
  std::vector<Settings> trials;  // every combination of the tuned options; one: nothing is tuned
};

// One training run.
struct PlannedRun {
  size_t row = 0, trial = 0;
  uint64_t seed = 1;
  bool tuning = false;   // else reported
  std::string folder;    // OUTPUT/tuning/ROW/TRIAL/seed-N or OUTPUT/reported/ROW/TRIAL/seed-N
  std::string name;      // "SGD, learning_rate 0.1, seed 3"
  Settings settings;     // for `signstep train`, seed and validation included, folder and data not
  TrainOptions options;  // the same, resolved
};

struct ExperimentPlan {
  Experiment experiment;
  std::string output;
  std::vector<PlannedRow> rows;
  std::vector<PlannedRun> tuning;  // all that a search may ask for: row by row, trial by trial, seed by seed

  bool tunes() const { return !tuning.empty(); }
  // How many trials a row that tunes needs, and how many tuning runs the plan does: of a grid all of the above.
  size_t trials_needed() const { return count_trials(experiment.methods.front().tune, experiment.tuning_search); }
  size_t tuning_runs() const;
  // One run of a row and trial, whether the plan needs it or not. Throws OptionError for settings that training
  // refuses.
  PlannedRun run(size_t row, size_t trial, uint64_t seed, bool for_tuning) const;
  // "ROW/TRIAL", as folders are called.
  std::string place(size_t row, size_t trial) const;
  // The reported runs of a row, once its trial is chosen: trained on training and validation images together.
  std::vector<PlannedRun> reported(size_t row, size_t trial) const;
  // The row whose trials choose for this one: itself, or with tune_once the same method at the grid's first point.
  size_t tuned_by(size_t row) const;
  // The row of the baseline method at the same point of the grid; rows.size() when that method has a grid of its own.
  size_t baseline_of(size_t row) const;
  // Every run, each row's trial 0 standing for the chosen one.
  std::vector<PlannedRun> all_runs() const;
};

// Throws OptionError that names the row for unknown options, bad values and combinations that training refuses, and for
// names that make no folder of their own.
ExperimentPlan make_plan(const Experiment& experiment, const std::string& output);

}  // namespace signstep
