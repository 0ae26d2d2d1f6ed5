// SPDX-License-Identifier: Apache-2.0
#include "signstep/report/run_summary.h"

#include <cmath>

#include "signstep/core/error.h"
#include "signstep/io/atomic_file.h"
#include "signstep/io/config.h"
#include "signstep/io/json_lines.h"
#include "signstep/io/path.h"

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
  return node->is_string() ? node->get<std::string>() : node->is_null() ? "-" : node->dump();
}

double RunSummary::steps_per_epoch() const {
  const double steps = at(0, "step"), epoch = at(0, "epoch");
  return steps > 0 && epoch > 0 ? steps / epoch : 1;
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
  run.record = nlohmann::ordered_json::parse(read_text_file(path), nullptr, false);
  if (!run.record.is_object()) throw DataError(fmt::format("{} is not a JSON object; the file was damaged", path));
  if (path_exists(folder + "/metrics.jsonl")) run.epochs = read_json_lines(folder + "/metrics.jsonl");
  if (run.epochs.empty()) {
    throw OptionError(fmt::format("{} has no finished epoch yet (status {}); wait for the first, or leave the run out",
                                  folder, run.status()));
  }
  run.config = read_toml_values(folder + "/config.toml");
  return run;
}

std::string method_name(const RunSummary& run) {
  std::string name = run.text({"optimizer"});
  if (value_or(run.config, "switch_when", "never") != "never") name += "-to-SGD switch";
  if (value_or(run.config, "dither", "none") != "none") name = "dithered " + name;
  return name;
}

}  // namespace signstep
