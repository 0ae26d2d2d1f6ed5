// SPDX-License-Identifier: Apache-2.0
#include "signstep/report/run_summary.h"

#include <cmath>

#include "signstep/base/error.h"
#include "signstep/io/atomic_file.h"
#include "signstep/io/config.h"
#include "signstep/io/json_lines.h"
#include "signstep/io/json_text.h"
#include "signstep/io/path.h"
#include "signstep/report/label.h"

namespace signstep {
namespace {

std::string value_or(const std::map<std::string, std::string>& config, const char* key, const char* otherwise) {
  const auto found = config.find(key);
  return found == config.end() ? otherwise : found->second;
}

}  // namespace

double RunSummary::at(size_t epoch_index, const char* key) const {
  const auto& record_of_epoch = epochs.at(epoch_index);
  const auto found = record_of_epoch.find(key);
  return found != record_of_epoch.end() && found->is_number() ? found->get<double>() : std::nan("");
}

std::string RunSummary::text(std::initializer_list<const char*> path) const {
  const nlohmann::ordered_json* node = &record;
  for (const char* key : path) {
    if (!node->is_object() || !node->contains(key)) return "-";
    node = &(*node)[key];
  }
  return node->is_string() ? printable(node->get<std::string>()) : node->is_null() ? "-" : node->dump();
}

double RunSummary::steps_per_epoch() const {
  const double steps = at(0, "step"), epoch = at(0, "epoch");
  return steps > 0 && epoch > 0 ? steps / epoch : 1;
}

void require_agreement(const nlohmann::ordered_json& record, const nlohmann::ordered_json& epoch,
                       const std::string& folder) {
  const auto shown = [](const nlohmann::ordered_json& value) {
    return value.is_structured() ? "something else" : printable(value.dump(-1, ' ', true));
  };
  const auto last = JsonFields(record, folder + "/run.json").get<nlohmann::ordered_json>("last_epoch");
  for (const auto& [key, value] : last.items()) {
    const auto found = epoch.find(key);
    if (found != epoch.end() && *found == value) continue;
    throw DataError(
        fmt::format("{}/metrics.jsonl contradicts run.json: {} of the last epoch is {} here and {} there; "
                    "was one of them edited or copied from another run?",
                    folder, printable(key), found == epoch.end() ? "absent" : shown(*found), shown(value)));
  }
}

bool holds_a_run(const std::string& folder) {
  return path_exists(folder + "/run.json") && !path_exists(folder + "/experiment.json");
}

RunSummary read_run(const std::string& folder) {
  RunSummary run{.folder = folder, .record = {}, .epochs = {}, .config = {}};
  const std::string path = folder + "/run.json";
  if (path_exists(folder + "/experiment.json")) {
    throw OptionError(fmt::format("{} holds an experiment; signstep compare FILE --collect makes its report", folder));
  }
  if (!path_exists(path)) {
    throw OptionError(
        fmt::format("{} holds no run (no run.json); name the folder that signstep train --output named", folder));
  }
  run.record = parse_json(read_text_file(path), path);
  const JsonFields fields(run.record, path);
  const auto status = fields.get<std::string>("status");
  fields.object("data").get<std::string>("sha256");
  if (path_exists(folder + "/metrics.jsonl")) run.epochs = read_json_lines(folder + "/metrics.jsonl");
  try {
    run.config = read_toml_values(folder + "/config.toml");
  } catch (const OptionError& e) {
    throw DataError(fmt::format("{}; the file was damaged", e.what()));
  }
  if (run.epochs.empty()) {
    throw OptionError(fmt::format("{} has no finished epoch yet (status {}); wait for the first, or leave the run out",
                                  folder, run.status()));
  }
  if (status == "finished" || status == "diverged") require_agreement(run.record, run.epochs.back(), folder);
  return run;
}

std::string method_name(const RunSummary& run) {
  std::string name = run.text({"optimizer"});
  if (value_or(run.config, "switch_when", "never") != "never") name += "-to-SGD switch";
  if (value_or(run.config, "dither", "none") != "none") name = "dithered " + name;
  return name;
}

}  // namespace signstep
