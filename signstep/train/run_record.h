// SPDX-License-Identifier: Apache-2.0
// run.json: what a reader needs to trust and repeat a run.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "signstep/data/dataset.h"
#include "signstep/nn/engine.h"
#include "signstep/train/run_identity.h"
#include "signstep/train/train_options.h"

namespace signstep {

class RunRecord {
 public:
  RunRecord(const TrainOptions& options, const RunIdentity& run, const Dataset& data, const Engine& engine,
            size_t train_images);

  const nlohmann::ordered_json& json() const { return json_; }
  // The run that this file tells of goes on: keeps its start, its program and its sessions. Throws CheckpointError when
  // it has other settings or saw other images. A file that is gone or damaged tells nothing.
  void continues(const std::string& path, const RunIdentity& run);
  bool was_finished() const { return was_finished_; }

  void start(const std::string& path, uint64_t step);  // status "running"; adds this session, which starts at that step
  void finish(const std::string& path, const std::string& status, const std::vector<nlohmann::ordered_json>& metrics);

 private:
  nlohmann::ordered_json json_, session_;
  bool was_finished_ = false;
};

}  // namespace signstep
