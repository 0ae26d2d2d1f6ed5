// SPDX-License-Identifier: Apache-2.0
#include "signstep/experiment/run_state.h"

#include "signstep/base/error.h"
#include "signstep/io/config.h"
#include "signstep/io/path.h"
#include "signstep/runs/run_files.h"

namespace signstep {
namespace {

bool is_open(const Option& option) {
  return option.is(Role::kResumable) || (!option.open.empty() && option.text() == option.open);
}

// The options that the run was started with.
TrainOptions recorded_options(const PlannedRun& run) {
  TrainOptions recorded;
  OptionList list = option_list(recorded);
  read_recorded_toml(config_path(run.folder), list);
  return recorded;
}

// "", or in what the recorded run differs from the planned one.
std::string difference(TrainOptions recorded, const PlannedRun& run) {
  TrainOptions planned = run.options;
  const OptionList theirs = option_list(recorded), ours = option_list(planned);
  for (const Option& option : ours.options()) {
    const std::string wanted = option.text(), seen = theirs.find(option.name)->text();
    if (seen != wanted && !is_open(option))
      return fmt::format("{} holds a run of another experiment: {} is {} there and {} here", run.folder, option.name,
                         seen, wanted);
  }
  return "";
}

// What the machine chose of that which decides the bits of a gradient.
Settings left_open(TrainOptions planned, TrainOptions recorded) {
  const OptionList asked = option_list(planned), chosen = option_list(recorded);
  Settings parts;
  for (const char* name : {"engine", "device", "precision"})
    if (asked.find(name)->text() == asked.find(name)->open) parts.emplace_back(name, chosen.find(name)->text());
  return parts;
}

RunState read_state(const PlannedRun& run) {
  RunState state;
  if (!path_exists(config_path(run.folder))) {
    if (path_exists(record_path(run.folder)))
      throw DataError(fmt::format("{} has a run.json and no config.toml", run.folder));
    return state;
  }
  const TrainOptions recorded = recorded_options(run);
  if (const std::string other = difference(recorded, run); !other.empty()) throw DataError(other);
  state.status = RunStatus::kPartial;
  if (!path_exists(record_path(run.folder))) return state;
  const RunFiles files(run.folder);
  state.data = files.record.data.sha256;
  state.epochs = files.epochs.size();
  const bool finished = files.record.status == RunRecord::kFinished;
  if (finished && state.epochs < static_cast<uint64_t>(run.options.epochs))
    throw DataError(fmt::format("{} is finished and has {} of {} epochs in metrics.jsonl", run.folder, state.epochs,
                                run.options.epochs));
  state.left_open = left_open(run.options, recorded);
  const bool diverged = files.record.status == RunRecord::kDiverged;
  if (state.epochs > 0) {
    if (finished || diverged) files.require_agreement();
    if (finished) files.last_percent(run.tuning ? &EpochRecord::validation_accuracy : &EpochRecord::test_accuracy);
    state.validation_accuracy = files.last(&EpochRecord::validation_accuracy);
    state.test_accuracy = files.last(&EpochRecord::test_accuracy);
    state.train_seconds = files.last(&EpochRecord::train_seconds);
  }
  for (const EpochRecord& epoch : files.epochs) {
    state.sent_bytes += epoch.wire.vote + epoch.wire.gradient;
    state.float32_bytes += epoch.wire.float32;
  }
  if (finished) state.status = RunStatus::kFinished;
  if (diverged) state.status = RunStatus::kDiverged;
  return state;
}

}  // namespace

RunState run_state(const PlannedRun& run) {
  try {
    return read_state(run);
  } catch (const Error& e) {
    RunState damaged;
    damaged.status = RunStatus::kDamaged;
    damaged.problem = fmt::format("{}; remove the run's folder to repeat it", e.what());
    return damaged;
  }
}

void require_same_run(const PlannedRun& run) {
  if (!path_exists(config_path(run.folder))) return;
  std::string other;
  try {
    other = difference(recorded_options(run), run);
  } catch (const Error&) {
    return;
  }
  if (!other.empty()) throw OptionError(other + "; choose another --output, or remove that run");
}

}  // namespace signstep
