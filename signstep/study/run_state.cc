// SPDX-License-Identifier: Apache-2.0
#include "signstep/study/run_state.h"

#include <nlohmann/json.hpp>

#include "signstep/core/error.h"
#include "signstep/io/atomic_file.h"
#include "signstep/io/config.h"
#include "signstep/io/json_lines.h"
#include "signstep/io/path.h"

namespace signstep {
namespace {

bool is_open(const std::string& option, const std::string& planned) {
  return may_change_on_resume(option) || ((option == "engine" || option == "precision") && planned == "auto") ||
         (option == "threads" && planned == "0");
}

double number(const nlohmann::ordered_json& record, const char* key) {
  const auto found = record.find(key);
  return found != record.end() && found->is_number() ? found->get<double>() : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace

RunState run_state(const PlannedRun& run) {
  RunState state;
  if (!path_exists(run.folder + "/config.toml")) return state;
  state.status = RunStatus::kPartial;
  if (!path_exists(run.folder + "/run.json")) return state;
  const auto record = nlohmann::json::parse(read_text_file(run.folder + "/run.json"), nullptr, false);
  if (!record.is_object())
    throw DataError(
        fmt::format("{}/run.json is not a JSON object; remove the run folder to repeat the run", run.folder));
  std::vector<nlohmann::ordered_json> epochs;
  if (path_exists(run.folder + "/metrics.jsonl")) epochs = read_json_lines(run.folder + "/metrics.jsonl");
  state.epochs = epochs.size();
  if (!epochs.empty()) {
    state.validation_accuracy = number(epochs.back(), "validation_accuracy");
    state.test_accuracy = number(epochs.back(), "test_accuracy");
    state.train_seconds = number(epochs.back(), "train_seconds");
  }
  const std::string status = record.value("status", "");
  if (status == "diverged") state.status = RunStatus::kDiverged;
  if (status == "finished" && state.epochs >= static_cast<uint64_t>(run.options.epochs))
    state.status = RunStatus::kFinished;
  return state;
}

void require_same_run(const PlannedRun& run) {
  const std::string path = run.folder + "/config.toml";
  if (!path_exists(path)) return;
  TrainOptions recorded, planned = run.options;
  OptionList theirs = option_list(recorded);
  const OptionList ours = option_list(planned);
  read_toml(path, theirs);
  for (const Option& option : ours.options()) {
    const std::string wanted = option.text(), seen = theirs.find(option.name)->text();
    if (seen == wanted || is_open(option.name, wanted)) continue;
    throw OptionError(fmt::format(
        "{} holds a run of another experiment: {} is {} there and {} here; choose another --output, or remove that run",
        run.folder, option.name, seen, wanted));
  }
}

}  // namespace signstep
