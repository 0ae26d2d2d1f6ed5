// SPDX-License-Identifier: Apache-2.0
#include "signstep/train/run_record.h"

#include <fmt/chrono.h>


#include "signstep/core/cpu.h"
#include "signstep/core/error.h"
#include "signstep/core/version.h"
#include "signstep/io/atomic_file.h"
#include "signstep/io/path.h"

namespace signstep {
namespace {

std::string now() { return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr))); }

}  // namespace

RunRecord::RunRecord(const TrainOptions& options, const Dataset& data, const Engine& engine, size_t train_images) {
  const CpuFeatures& cpu = cpu_features();
  json_ = {
      {"schema_version", 1},
      {"status", "running"},
      {"started", nullptr},
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
        {"sha256", data.checksum()},
        {"official", data.official()},
        {"train_images", train_images},
        {"validation_images", data.train.count() - train_images},
        {"test_images", data.test.count()}}},
      {"network", {{"name", "ResNet-18"}, {"width", options.network.width}, {"parameters", engine.shape().parameter_count()}}},
      {"optimizer", display_name(options.optimizer.optimizer)},
      {"seed", options.seed},
      {"last_epoch", nullptr},
  };
}

void RunRecord::continues(const std::string& path) {
  if (!path_exists(path)) return;
  const auto before = nlohmann::json::parse(read_text_file(path), nullptr, false);
  if (!before.is_object() || !before.contains("data") || !before.contains("started")) return;
  const auto seen = json_["data"]["sha256"].get<std::string>(), wanted = before["data"].value("sha256", seen);
  if (seen != wanted) {
    throw CheckpointError(fmt::format("the images in {} have checksum {} and the run was started with {}; name the same "
                                      "data set with --data", json_["data"]["folder"].get<std::string>(),
                                      seen.substr(0, 12), wanted.substr(0, 12)));
  }
  json_["started"] = before["started"];
}

void RunRecord::start(const std::string& path) {
  if (json_["started"].is_null()) json_["started"] = now();
  write_file_atomic(path, json_.dump(2) + "\n");
}

void RunRecord::finish(const std::string& path, const std::string& status,
                       const std::vector<nlohmann::ordered_json>& metrics) {
  json_["status"] = status;
  json_["ended"] = now();
  if (!metrics.empty()) json_["last_epoch"] = metrics.back();
  write_file_atomic(path, json_.dump(2) + "\n");
}

}  // namespace signstep
