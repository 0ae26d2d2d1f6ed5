// SPDX-License-Identifier: Apache-2.0
#include "signstep/runs/run_list.h"

#include <filesystem>
#include <map>

#include "signstep/base/error.h"
#include "signstep/base/number.h"
#include "signstep/io/config.h"
#include "signstep/io/folder_lock.h"
#include "signstep/io/path.h"
#include "signstep/runs/run_files.h"
#include "signstep/runs/run_summary.h"

namespace signstep {
namespace {

using Config = std::map<std::string, std::string>;

std::string value_of(const Config& config, const std::string& option) {
  const auto found = config.find(option);
  return found == config.end() ? "" : found->second;
}

std::optional<uint64_t> count_of(const Config& config, const std::string& option) {
  const std::optional<int64_t> value = parse_integer(value_of(config, option));
  return value && *value >= 0 ? std::optional(static_cast<uint64_t>(*value)) : std::nullopt;
}

std::string dither_text(const Config& config) {
  const std::string dither = value_of(config, "dither");
  return dither == "none" ? "" : dither;
}

std::string switch_text(const Config& config) {
  const std::string when = value_of(config, "switch_when"), at = value_of(config, "switch_at");
  if (when.empty() || when == "never") return "";
  return when == "at" && parse_number(at) ? "at " + at : when;
}

// A folder below the root that cannot be looked into stands in the list: its row says why.
void collect(const std::string& folder, bool root, std::vector<std::string>& found) {
  std::vector<std::string> names;
  try {
    if (path_exists(record_path(folder))) {
      found.push_back(folder);
      return;
    }
    names = names_in(folder);
  } catch (const EnvironmentError&) {
    if (root) throw;
    found.push_back(folder);
    return;
  }
  for (const std::string& name : names) {
    const std::string path = folder + "/" + name;
    std::error_code error;
    if (!name.starts_with(".") && std::filesystem::is_directory(std::filesystem::symlink_status(path, error)))
      collect(path, false, found);
  }
}

}  // namespace

std::vector<std::string> find_runs(const std::string& folder) {
  if (!is_folder(folder)) {
    throw EnvironmentError(fmt::format(
        "there is no folder {}; name one that holds runs, such as that of signstep train --output", folder));
  }
  std::string root = folder;
  while (root.size() > 1 && root.ends_with("/")) root.pop_back();
  std::vector<std::string> found;
  collect(root, true, found);
  return found;
}

RunRow read_row(const std::string& run_folder) {
  RunRow row;
  row.folder = run_folder;
  try {
    RunSummary run;
    if (path_exists(config_path(run_folder))) run.config = read_toml_values(config_path(run_folder));
    row.learning_rate = parse_number(value_of(run.config, "learning_rate")).value_or(kNotSaid);
    row.seed = count_of(run.config, "seed");
    row.wanted_epochs = count_of(run.config, "epochs");
    row.dither = dither_text(run.config);
    row.switching = switch_text(run.config);
    const RunFiles files(run_folder);
    run.record = files.record;
    row.method = method_name(run);
    row.dataset = run.record.data.dataset;
    row.network = fmt::format("{}, width {}", shown(run.record.network.name), shown(run.record.network.width));
    if (run.record.seed) row.seed = run.record.seed;
    row.started = run.record.started;
    row.epochs = files.epochs.size();
    if (!files.epochs.empty()) {
      row.validation_accuracy = files.epochs.back().validation_accuracy;
      row.test_accuracy = files.epochs.back().test_accuracy;
    }
    row.status = shown(run.record.status);
    if (run.record.status == RunRecord::kRunning && !folder_in_use(run_folder)) row.status = "interrupted";
  } catch (const Error& e) {
    row.status = "damaged";
    row.problem = e.what();
  }
  return row;
}

}  // namespace signstep
