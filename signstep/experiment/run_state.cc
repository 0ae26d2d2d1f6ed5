// SPDX-License-Identifier: Apache-2.0
#include "signstep/experiment/run_state.h"

#include <cmath>
#include <optional>

#include "signstep/base/error.h"
#include "signstep/io/atomic_file.h"
#include "signstep/io/config.h"
#include "signstep/io/json_lines.h"
#include "signstep/io/json_text.h"
#include "signstep/io/path.h"
#include "signstep/report/run_summary.h"

namespace signstep {
namespace {

bool is_open(const std::string& option, const std::string& planned) {
  return may_change_on_resume(option) || ((option == "engine" || option == "precision") && planned == "auto") ||
         (option == "threads" && planned == "0");
}

// The options that the run was started with.
TrainOptions recorded_options(const PlannedRun& run) {
  TrainOptions recorded;
  OptionList list = option_list(recorded);
  read_recorded_toml(run.folder + "/config.toml", list);
  return recorded;
}

// An accuracy that the table is to show.
double percent(const nlohmann::ordered_json& epoch, const std::string& path, const char* key) {
  const double value = JsonFields(epoch, path).get<double>(key);
  if (!(value >= 0 && value <= 100))
    throw DataError(fmt::format("{}: {} of the last epoch is {}; wanted 0 to 100 percent", path, key, value));
  return value;
}

RunState read_state(const PlannedRun& run) {
  RunState state;
  const std::string record_path = run.folder + "/run.json", metrics_path = run.folder + "/metrics.jsonl";
  if (!path_exists(run.folder + "/config.toml")) return state;
  recorded_options(run);
  state.status = RunStatus::kPartial;
  if (!path_exists(record_path)) return state;
  const nlohmann::ordered_json record = parse_json(read_text_file(record_path), record_path);
  const JsonFields fields(record, record_path);
  const auto status = fields.get<std::string>("status");
  state.data = fields.object("data").get<std::string>("sha256");
  std::vector<nlohmann::ordered_json> epochs;
  if (path_exists(metrics_path)) epochs = read_json_lines(metrics_path);
  const bool finished = status == "finished" && epochs.size() >= static_cast<size_t>(run.options.epochs);
  if (!epochs.empty()) {
    const nlohmann::ordered_json& last = epochs.back();
    if (finished || status == "diverged") require_agreement(record, last, run.folder);
    if (finished) percent(last, metrics_path, run.tuning ? "validation_accuracy" : "test_accuracy");
    const JsonFields epoch(last, metrics_path);
    constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
    state.validation_accuracy = epoch.find<double>("validation_accuracy").value_or(kNone);
    state.test_accuracy = epoch.find<double>("test_accuracy").value_or(kNone);
    state.train_seconds = epoch.find<double>("train_seconds").value_or(kNone);
  }
  state.epochs = epochs.size();
  if (finished) state.status = RunStatus::kFinished;
  if (status == "diverged") state.status = RunStatus::kDiverged;
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
  if (!path_exists(run.folder + "/config.toml")) return;
  TrainOptions recorded, planned = run.options;
  try {
    recorded = recorded_options(run);
  } catch (const Error&) {
    return;
  }
  const OptionList theirs = option_list(recorded), ours = option_list(planned);
  for (const Option& option : ours.options()) {
    const std::string wanted = option.text(), seen = theirs.find(option.name)->text();
    if (seen == wanted || is_open(option.name, wanted)) continue;
    throw OptionError(fmt::format(
        "{} holds a run of another experiment: {} is {} there and {} here; choose another --output, or remove that run",
        run.folder, option.name, seen, wanted));
  }
}

}  // namespace signstep
