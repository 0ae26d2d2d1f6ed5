// SPDX-License-Identifier: Apache-2.0
// Carries out an experiment: every row's trials on the validation split first, then the reported runs of the chosen
// trial on training and validation images together. What is finished stays, what is half finished goes on.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "signstep/experiment/comparison.h"
#include "signstep/experiment/run_queue.h"
#include "signstep/experiment/time_estimate.h"

namespace signstep {

struct CompareOptions {
  std::string program;           // the signstep whose `train` does the runs
  std::string data;              // folder of the data set; "": the search path
  size_t jobs = 1;               // runs at a time
  size_t shard = 1, shards = 1;  // of a job array: this process does every shards-th run, from the shard-th on
};

// A moment of the experiment, for people to look at.
struct Overview {
  size_t planned = 0, done = 0, failed = 0;  // runs; of this shard
  size_t elsewhere = 0;                      // runs that another process works on
  std::vector<RunProgress> running;
  double seconds = 0, seconds_left = -1;  // of this session; -1: not known yet
};

class CompareObserver {
 public:
  virtual ~CompareObserver() = default;
  virtual void overview(const Overview&) {}             // a few times a second
  virtual void line(const std::string& /*message*/) {}  // once: a run ended, a trial was chosen
};

struct CompareResult {
  Comparison comparison;
  std::vector<EndedRun> failures;
  bool stopped = false;  // asked to
  bool waits = false;    // runs are left that other shards or processes must do, or do first
};

// Throws DataError unless every run that has started saw the images that runs would see now.
void require_same_data(const ExperimentPlan& plan, const TimeEstimate& now);

// Claims the output folder (output_folder.h), once the data set is found and known to be the one that finished runs
// saw; throws what that throws, with nothing written. After that a run that fails, is damaged or cannot be started is
// one of the failures and ends nothing. Whatever is thrown, runs under way save first. stop is asked a few times a
// second; once it says so, the runs under way save, and no other is started.
CompareResult run_comparison(const ExperimentPlan& plan, const CompareOptions& options,
                             const std::function<bool()>& stop, CompareObserver& observer);

}  // namespace signstep
