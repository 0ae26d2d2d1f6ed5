// SPDX-License-Identifier: Apache-2.0
// What an experiment's runs say so far: the chosen trial of each row, accuracies over seeds, differences to the
// baseline.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "signstep/experiment/experiment_plan.h"
#include "signstep/experiment/run_state.h"
#include "signstep/experiment/statistics.h"
#include "signstep/report/mean_sd.h"

namespace signstep {

struct RunResult {
  uint64_t seed = 0;
  std::string folder;    // below the experiment's
  std::string data_set;  // data_set_of
  RunState state;
  bool shared_machine = false;  // another run of the comparison was at work there at the same time
};

struct TrialResult {
  size_t trial = 0;  // of the plan's row
  Settings settings;
  MeanSd validation;  // of the last epochs, percent, over the tuning seeds; a diverged run counts as 0
  size_t done = 0, diverged = 0;
  std::vector<RunResult> runs = {};  // planned ones, done or not

  bool none_survived() const { return done > 0 && diverged == done; }
};

struct ComparisonRow {
  std::string name;
  std::optional<double> paper;      // percent
  std::vector<TrialResult> trials;  // that the search asked for so far; empty where nothing was tuned
  std::optional<size_t> chosen;     // a trial of the plan's row; none before every one that is needed is done
  Settings chosen_settings;
  bool none_survived = false;                       // every run of the chosen trial diverged, and so of every trial
  std::vector<std::string> edges;                   // "learning_rate 0.3 is the highest of its grid"
  std::vector<RunResult> runs;                      // planned ones, done or not; empty before the choice
  MeanSd accuracy;                                  // test, percent, over the finished runs
  MeanSd seconds;                                   // of training steps
  MeanSd sent_bytes, float32_bytes;                 // a run's, by rank 0, of runs with several workers
  bool shared_machine = false;                      // some of these times were taken beside other runs
  size_t diverged = 0;                              // reported runs
  std::optional<PairedDifference> versus_baseline;  // none for the baseline itself, or without one
  size_t baseline = 0;                              // its row, where versus_baseline is there
};

struct Comparison {
  ExperimentPlan plan;
  std::vector<ComparisonRow> rows;
  size_t runs_done = 0, runs_planned = 0;
  std::vector<RunResult> damaged;  // left out, state.problem says why
  // Distinct values over all sessions of the finished runs, tuning ones too, for the foot of the table.
  std::vector<std::string> machines, engines, programs, data;
  // Options that were left to the machine and came out unlike, "engine avx512, torch": rows may differ by it.
  std::vector<std::string> not_alike;

  bool complete() const { return runs_done == runs_planned; }
};

// What the tuning runs of a row say, of every combination; empty where nothing is tuned.
std::vector<TrialResult> trial_results(const ExperimentPlan& plan, size_t row);

// How far the search of a row has come by these results. Only trials of which every tuning seed is done, with a finite
// mean, are known to it. Where nothing is tuned it asks for nothing and has chosen trial 0.
SearchState search_row(const ExperimentPlan& plan, size_t row, const std::vector<TrialResult>& results);

// In which options the chosen trial lies at the end of its grid, so that a better value may lie beyond. A lower end of
// 0 is no edge. Options that are no numbers have none.
std::vector<std::string> grid_edges(const std::vector<GridAxis>& axes, const Settings& chosen);

// Reads every run folder of the plan, takes no lock and needs neither data set nor checkpoints. Throws DataError when
// the runs saw different images. Costs one reading of each run's config.toml, run.json and metrics.jsonl.
Comparison compare_runs(const ExperimentPlan& plan);

}  // namespace signstep
