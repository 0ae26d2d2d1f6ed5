// SPDX-License-Identifier: Apache-2.0
#include "signstep/experiment/output_folder.h"

#include <chrono>
#include <filesystem>
#include <optional>
#include <thread>

#include "signstep/base/error.h"
#include "signstep/experiment/run_state.h"
#include "signstep/io/atomic_file.h"
#include "signstep/io/json_text.h"
#include "signstep/io/path.h"
#include "signstep/runs/run_files.h"

namespace signstep {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> folders_in(const fs::path& path) {
  std::vector<fs::path> folders;
  for (const std::string& name : names_in(path.string()))
    if (is_folder((path / name).string())) folders.push_back(path / name);
  return folders;
}

// The number N of a folder seed-N that the list has.
std::optional<uint64_t> listed_seed(const std::string& name, const std::vector<uint64_t>& seeds) {
  for (const uint64_t seed : seeds)
    if (name == fmt::format("seed-{}", seed)) return seed;
  return std::nullopt;
}

std::optional<std::string> recorded_name(const std::string& folder) {
  const std::string mark = folder + "/experiment.json", table = folder + "/table.json";
  const std::string& file = path_exists(mark) ? mark : table;
  if (!path_exists(file)) return std::nullopt;
  const nlohmann::ordered_json json = parse_json(read_text_file(file), file);
  if (file == table && !json.contains("experiment")) return std::nullopt;  // somebody else's table
  return JsonFields(json, file).get<std::string>("experiment");
}

}  // namespace

std::vector<PlannedRun> runs_there(const ExperimentPlan& plan) {
  std::map<std::string, std::pair<size_t, size_t>> places;  // "ROW/TRIAL"
  for (size_t r = 0; r < plan.rows.size(); ++r)
    for (size_t t = 0; t < plan.rows[r].trials.size(); ++t) places.emplace(plan.place(r, t), std::pair(r, t));
  std::vector<PlannedRun> runs;
  std::vector<std::string> strangers;
  const Experiment& e = plan.experiment;
  for (const bool tuning : {true, false}) {
    const fs::path part = fs::path(plan.output) / (tuning ? "tuning" : "reported");
    for (const fs::path& row : folders_in(part)) {
      for (const fs::path& trial : folders_in(row)) {
        for (const fs::path& run : folders_in(trial)) {
          if (!path_exists(config_path(run.string())) && !path_exists(record_path(run.string()))) continue;
          const auto place = places.find((row.filename() / trial.filename()).string());
          const bool tuned = place != places.end() && plan.rows[place->second.first].trials.size() > 1 &&
                             plan.tuned_by(place->second.first) == place->second.first;
          const auto seed = listed_seed(run.filename().string(), tuning ? e.tuning_seeds : e.seeds);
          if (place == places.end() || !seed || (tuning && !tuned)) {
            strangers.push_back(run.string());
          } else {
            runs.push_back(plan.run(place->second.first, place->second.second, *seed, tuning));
          }
        }
      }
    }
  }
  if (!strangers.empty()) {
    throw OptionError(fmt::format(
        "{} holds {} that this file does not ask for, such as {}: another experiment's, or the file lost a method, a "
        "value or a seed; put it back, remove such runs, or choose another --output",
        plan.output, strangers.size() == 1 ? "a run" : fmt::format("{} runs", strangers.size()), strangers.front()));
  }
  return runs;
}

void check_output(const ExperimentPlan& plan) {
  const std::string& folder = plan.output;
  std::optional<std::string> name = recorded_name(folder);
  // Something without a name may be what another process is about to claim.
  const auto foreign = [&] { return path_exists(folder) && (!is_folder(folder) || !names_in(folder).empty()); };
  for (int look = 0; look < 10 && !name && foreign(); ++look) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    name = recorded_name(folder);
  }
  if (name && *name != plan.experiment.name) {
    throw OptionError(fmt::format("{} belongs to the experiment '{}', and this one is '{}'; choose another --output",
                                  folder, *name, plan.experiment.name));
  }
  const std::vector<PlannedRun> runs = runs_there(plan);
  if (!name && runs.empty() && foreign()) {
    throw OptionError(fmt::format("{} is not empty and no experiment's folder; choose another --output", folder));
  }
  for (const PlannedRun& run : runs) require_same_run(run);
}

void claim_output(const ExperimentPlan& plan) {
  check_output(plan);
  make_folders(plan.output);
  const nlohmann::ordered_json json = {
      {"schema_version", 1}, {"experiment", plan.experiment.name}, {"file", plan.experiment.text}};
  write_file_atomic(plan.output + "/experiment.json", json.dump(2) + "\n");
}

}  // namespace signstep
