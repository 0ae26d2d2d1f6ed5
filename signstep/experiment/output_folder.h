// SPDX-License-Identifier: Apache-2.0
// The folder of an experiment, and whether what stands in it is this experiment's.
#pragma once

#include <string>
#include <vector>

#include "signstep/experiment/experiment_plan.h"

namespace signstep {

// The runs whose folders are there, OUTPUT/tuning|reported/ROW/TRIAL/seed-N with a config.toml or a run.json. Throws
// OptionError for a run that the plan does not ask for.
std::vector<PlannedRun> runs_there(const ExperimentPlan& plan);

// A folder is this experiment's when it bears its name (in experiment.json, or in table.json where that is absent), or
// bears none and is empty or holds runs, and when every run in it is one that the plan asks for, with the plan's
// settings. So a file may grow (longer lists, more seeds and methods, other words) and keeps its finished runs; one
// that lost or changed something would leave runs behind that belong to no table, and is another experiment. Throws
// OptionError otherwise, DataError for a damaged experiment.json. Writes nothing. A run whose settings cannot be read
// is left to run_state.
void check_output(const ExperimentPlan& plan);

// check_output, then marks the folder with experiment.json.
void claim_output(const ExperimentPlan& plan);

}  // namespace signstep
