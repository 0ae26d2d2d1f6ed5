// SPDX-License-Identifier: Apache-2.0
#include "signstep/train/run_record.h"

#include <fmt/chrono.h>

#include "signstep/base/cpu.h"
#include "signstep/base/error.h"
#include "signstep/base/version.h"
#include "signstep/io/atomic_file.h"
#include "signstep/io/json_text.h"
#include "signstep/io/path.h"

namespace signstep {
namespace {

std::string now() { return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr))); }

// What holds for the run whoever continues it: paths and such are the session's.
nlohmann::ordered_json settings(const nlohmann::ordered_json& options) {
  nlohmann::ordered_json kept;
  for (const auto& [name, value] : options.items())
    if (!may_change_on_resume(name)) kept[name] = value;
  return kept;
}

nlohmann::ordered_json session(const nlohmann::ordered_json& record, uint64_t step) {
  nlohmann::ordered_json out = {{"started", record["started"]}, {"step", step}};
  for (const char* key : {"program", "machine", "engine"})
    if (record.contains(key)) out[key] = record[key];
  return out;
}

}  // namespace

RunRecord::RunRecord(const TrainOptions& options, const RunIdentity& run, const Dataset& data, const Engine& engine,
                     size_t train_images) {
  const CpuFeatures& cpu = cpu_features();
  json_ = {
      {"schema_version", 1},
      {"status", "running"},
      {"started", now()},
      {"ended", nullptr},
      {"program", {{"version", version()}, {"commit", commit()}}},
      {"machine",
       {{"cpu", cpu.model},
        {"threads", cpu.threads},
        {"avx2", cpu.avx2},
        {"avx512", cpu.avx512},
        {"avx512_bf16", cpu.avx512_bf16},
        {"amx_bf16", cpu.amx_bf16}}},
      {"engine", engine.description()},
      {"data",
       {{"dataset", dataset_name(data.kind)},
        {"folder", data.folder},
        {"sha256", run.data_sha256},
        {"official", data.official()},
        {"train_images", train_images},
        {"validation_images", data.train.count() - train_images},
        {"test_images", data.test.count()}}},
      {"network",
       {{"name", engine.network().display_name},
        {"width", options.network.width},
        {"parameters", engine.network().parameter_count()}}},
      {"optimizer", display_name(options.optimizer.optimizer)},
      {"seed", options.seed},
      {"options", settings(run.options)},
      {"sessions", nlohmann::ordered_json::array()},
      {"last_epoch", nullptr},
  };
  session_ = json_;
}

void RunRecord::continues(const std::string& path, const RunIdentity& run) {
  if (!path_exists(path)) return;
  nlohmann::ordered_json before;
  RunIdentity recorded;
  try {
    before = parse_json(read_text_file(path), path);
    const JsonFields fields(before, path);
    fields.get<std::string>("started");
    recorded.options = fields.find<nlohmann::ordered_json>("options").value_or(json_["options"]);
    recorded.data_sha256 = fields.object("data").find<std::string>("sha256").value_or("");
    if (!fields.find<std::vector<nlohmann::ordered_json>>("sessions"))
      before["sessions"] = nlohmann::ordered_json::array({session(before, 0)});
    was_finished_ = fields.find<std::string>("status") == "finished";
  } catch (const DataError&) {
    return;
  }
  require_same_identity(recorded, run, path);
  for (const char* key : {"started", "program", "machine", "sessions"})
    if (before.contains(key)) json_[key] = before[key];
}

void RunRecord::start(const std::string& path, uint64_t step) {
  json_["sessions"].push_back(session(session_, step));
  write_file_atomic(path, json_text(json_, 2) + "\n");
}

void RunRecord::finish(const std::string& path, const std::string& status,
                       const std::vector<nlohmann::ordered_json>& metrics) {
  json_["status"] = status;
  json_["ended"] = now();
  if (!metrics.empty()) json_["last_epoch"] = metrics.back();
  write_file_atomic(path, json_text(json_, 2) + "\n");
}

}  // namespace signstep
