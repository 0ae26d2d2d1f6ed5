// SPDX-License-Identifier: Apache-2.0
// run.json: what a reader needs to trust and repeat a run.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "signstep/data/dataset.h"
#include "signstep/nn/engine.h"
#include "signstep/train/train_options.h"

namespace signstep {

class RunRecord {
 public:
  RunRecord(const TrainOptions& options, const Dataset& data, const Engine& engine, size_t train_images);

  const nlohmann::ordered_json& json() const { return json_; }
  // The run that this file tells of goes on: keeps its start. Throws CheckpointError when it saw other images.
  void continues(const std::string& path);
  void start(const std::string& path);  // status "running"
  void finish(const std::string& path, const std::string& status, const std::vector<nlohmann::ordered_json>& metrics);

 private:
  nlohmann::ordered_json json_;
};

}  // namespace signstep
