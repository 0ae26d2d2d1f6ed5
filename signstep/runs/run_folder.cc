// SPDX-License-Identifier: Apache-2.0
#include "signstep/runs/run_folder.h"

#include <algorithm>
#include <filesystem>

#include "signstep/base/error.h"
#include "signstep/io/json_lines.h"
#include "signstep/io/json_text.h"
#include "signstep/io/path.h"
#include "signstep/runs/run_files.h"

namespace signstep {
namespace fs = std::filesystem;
namespace {

// The step and what follows it in "step-00000012.safetensors"; "" follows where the name is none of a checkpoint.
std::pair<uint64_t, std::string> step_of(const std::string& name) {
  const std::string prefix = "step-";
  if (!name.starts_with(prefix)) return {};
  const size_t end = std::min(name.find_first_not_of("0123456789", prefix.size()), name.size());
  const std::string digits = name.substr(prefix.size(), end - prefix.size());
  if (digits.empty() || digits.size() > 18) return {};
  return {std::stoull(digits), name.substr(end)};
}

const std::string& prepared(const std::string& path, bool resume) {
  if (path.empty())
    throw OptionError("output is empty; name the folder that the run is to be written to: --output RUN");
  if (!resume) require_no_run(path);
  make_folders(path + "/checkpoints");
  return path;
}

}  // namespace

// An empty metrics.jsonl and a log.txt may be of a run that was killed while it started.
void require_no_run(const std::string& path) {
  if (!path_exists(path)) return;
  if (!is_folder(path)) throw EnvironmentError(fmt::format("{} is no folder; choose another --output", path));
  std::error_code error;
  if (path_exists(config_path(path)) || path_exists(record_path(path))) {
    throw OptionError(
        fmt::format("{} holds a run already; continue it with --resume, or choose another --output", path));
  }
  const auto metrics = fs::file_size(metrics_path(path), error);
  if ((!error && metrics > 0) || !list_checkpoints(path).empty()) {
    throw OptionError(
        fmt::format("{} holds metrics.jsonl or checkpoints of something else, which a run would "
                    "overwrite; choose another --output",
                    path));
  }
}

RunFolder::RunFolder(const std::string& path, bool resume) : path_(prepared(path, resume)), lock_(std::in_place, path) {
  if (!resume) require_no_run(path);  // again: another process may have been faster
  // What a process that was killed while saving left behind; nobody else writes here now.
  remove_stale_files(path_);
  remove_stale_files(path_ + "/checkpoints");
}

RunFolder RunFolder::at_rank(const std::string& path, size_t rank) {
  if (!is_folder(path + "/checkpoints"))
    throw EnvironmentError(fmt::format(
        "rank {} does not see the folder {} that rank 0 writes to; give all ranks an --output that they share", rank,
        path));
  return RunFolder(path, rank);
}

std::string RunFolder::checkpoint(uint64_t step) const {
  return rank_checkpoint(fmt::format("{}/checkpoints/step-{:08}.safetensors", path_, step), rank_);
}

std::string rank_checkpoint(const std::string& checkpoint, size_t rank) {
  if (rank == 0) return checkpoint;
  return fs::path(checkpoint).replace_extension(fmt::format(".rank-{}.safetensors", rank)).string();
}

void RunFolder::write_config(const std::string& toml) const {
  if (rank_ == 0) write_file_atomic(config_path(path_), toml);
}

void RunFolder::write_record(const RunRecord& record) const {
  if (rank_ == 0) write_file_atomic(record_path(path_), json_text(fields_json(record), 2) + "\n");
}

void RunFolder::write_metrics(const std::vector<EpochRecord>& epochs) const {
  if (rank_ != 0) return;
  std::vector<nlohmann::ordered_json> lines;
  for (const EpochRecord& epoch : epochs) lines.push_back(fields_json(epoch));
  write_json_lines(metrics_path(path_), lines);
}

void RunFolder::append_metrics(const EpochRecord& epoch) const {
  if (rank_ == 0) append_json_line(metrics_path(path_), fields_json(epoch));
}

std::vector<std::string> list_checkpoints(const std::string& run_folder) {
  const std::string folder = run_folder + "/checkpoints";
  std::vector<std::pair<uint64_t, std::string>> found;
  for (const std::string& name : names_in(folder))
    if (const auto [step, rest] = step_of(name); rest == ".safetensors") found.emplace_back(step, folder + "/" + name);
  std::sort(found.rbegin(), found.rend());
  std::vector<std::string> paths;
  for (auto& [step, path] : found) paths.push_back(std::move(path));
  return paths;
}

// Other ranks' files newer than all checkpoints may be of the one that is being saved.
void RunFolder::prune_checkpoints() const {
  const std::vector<std::string> all = list_checkpoints(path_);
  if (rank_ != 0 || all.empty()) return;
  const auto step = [](const std::string& path) { return step_of(fs::path(path).filename().string()).first; };
  std::error_code ignored;  // an old checkpoint too many harms nobody
  for (const std::string& name : names_in(path_ + "/checkpoints")) {
    const auto [of, rest] = step_of(name);
    const bool kept = of >= step(all[0]) || (all.size() > 1 && of == step(all[1]));
    if (rest.ends_with(".safetensors") && !kept) fs::remove(path_ + "/checkpoints/" + name, ignored);
  }
}

std::string find_checkpoint(const std::string& run_or_file) {
  require_path(run_or_file, "a run folder or a checkpoint file");
  if (!is_folder(run_or_file)) return run_or_file;
  const std::vector<std::string> all = list_checkpoints(run_or_file);
  if (all.empty()) {
    throw CheckpointError(fmt::format(
        "{} holds no checkpoint: no epoch of the run has ended yet, or none did before it diverged", run_or_file));
  }
  return all.front();
}

}  // namespace signstep
