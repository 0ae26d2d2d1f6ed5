// SPDX-License-Identifier: Apache-2.0
// Runs that differ by seed alone make one curve with a band.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "signstep/base/option.h"
#include "signstep/report/mean_sd.h"
#include "signstep/runs/run_summary.h"

namespace signstep {

struct RunGroup {
  std::string name;
  std::vector<RunSummary> runs;  // at least one
  // Their options but for those in which repetitions may differ (Option::repeats: seed, folders, threads); several
  // values joined by " | ".
  std::map<std::string, std::string> settings = {};
};

// options: of `signstep train`; what it does not know is no repetition's.
RunGroup make_group(std::string name, std::vector<RunSummary> runs, const OptionList& options);

// In the order of first appearance. A group is named by method_name and, where several groups would share a name, by
// the fewest options that tell them apart: "Signum, learning rate 0.001".
std::vector<RunGroup> group_runs(std::vector<RunSummary> runs, const OptionList& options);

// An option in which groups differ: one value per group ("-" where it has none).
struct OptionRow {
  std::string option;
  std::vector<std::string> values;
};
std::vector<OptionRow> differing_options(const std::vector<RunGroup>& groups);
std::vector<OptionRow> common_options(const std::vector<RunGroup>& groups);  // one value each

// A curve over a group's runs, those that diverged left out unless all did: mean and, with two runs or more, mean -+
// one standard deviation.
struct GroupCurve {
  std::vector<double> x, mean, low, high;  // low and high empty for one run
};
// An epoch's number over the epoch, or over the mean seconds of training until then, as far as all of the runs have
// come.
using EpochFigure = double EpochRecord::*;
GroupCurve epoch_curve(const RunGroup& group, EpochFigure figure);
GroupCurve time_curve(const RunGroup& group, EpochFigure figure);
// The same of what value(run, i) says of a run's i-th epoch; NaN is left out.
using EpochValue = std::function<double(const RunSummary&, size_t)>;
GroupCurve epoch_curve(const RunGroup& group, const EpochValue& value);
// A number of the steps over the epoch as a fraction, in about 600 points: every n-th of them, or the means of n. Empty
// where the runs recorded none.
enum class Thinning { kEvery, kMeans };
GroupCurve step_curve(const RunGroup& group, std::vector<double> StepCurve::*figure,
                      Thinning thinning = Thinning::kEvery);

// Of the probes of a run's i-th epoch (train --analyze-every; docs/theory.md): the mean share of gradient signs that
// two batches agree on, percent. NaN without probes.
double sign_agreement(const RunSummary& run, size_t epoch_index);

// What a method's numbers are of: its finished runs, or where there is none yet those that have not diverged; after the
// last epoch that all of these have.
struct Counted {
  std::vector<const RunSummary*> runs;  // none where all diverged
  size_t epochs = 0;
};
Counted counted(const RunGroup& group);
MeanSd last_values(const RunGroup& group, EpochFigure figure);

// The epochs (as fractions) at which the group's runs switched to SGD, ascending and without repeats.
std::vector<double> switch_epochs(const RunGroup& group);

}  // namespace signstep
