// SPDX-License-Identifier: Apache-2.0
// Runs of a second on made-up images.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "signstep/io/config.h"
#include "signstep/io/json_lines.h"
#include "signstep/io/safetensors.h"
#include "signstep/runs/run_folder.h"
#include "signstep/train/trainer.h"
#include "tests/data/fixtures.h"
#include "tests/support/message_of.h"
#include "tests/train/engines_here.h"

namespace signstep {

// Why this processor does not run the engine of that unit at width 16; empty where it does.
inline std::string obstacle_of(ProductUnit unit) {
  return amx_engine_obstacle(make_network({.width = 16}, 3, 10), unit);
}

class TrainTest : public testing::Test {
 protected:
  TrainTest() { write_cifar10_fixture(folder_.path("data"), 60, 1); }  // 300 training images, 60 for testing

  TrainOptions options(const std::string& name) const {
    TrainOptions o;
    o.data = folder_.path("data");
    o.output = folder_.path(name);
    o.network.width = 4;
    o.validation = 60;
    o.epochs = 2;
    o.batch = 32;
    o.engine.threads = 1;  // nothing to share at this size
    o.engine.precision = Precision::kFp32;
    return o;
  }

  TrainResult run(const TrainOptions& o, const TrainControl& control = {}) {
    TrainObserver silent;
    return train(o, engines_, control, silent);
  }

  // What train --resume does: the settings are those of config.toml.
  TrainOptions recorded(const std::string& name) const {
    TrainOptions o;
    OptionList list = option_list(o);
    read_toml(folder_.path(name + "/config.toml"), list);
    return o;
  }

  // Why the run does not go on with these.
  std::string resume_refusal(const TrainOptions& o) {
    return message_of<CheckpointError>([&] { run(o, resuming()); });
  }

  std::vector<std::byte> parameters(const std::string& name) const {
    const SafetensorsFile file(find_checkpoint(folder_.path(name)));
    std::vector<std::byte> all;
    for (const TensorEntry& t : file.tensors()) all.insert(all.end(), t.bytes.begin(), t.bytes.end());
    return all;
  }

  // The lines of metrics.jsonl without what depends on the clock.
  std::vector<nlohmann::ordered_json> figures(const std::string& name) const {
    auto records = read_json_lines(folder_.path(name + "/metrics.jsonl"));
    for (auto& r : records) r.erase("train_seconds"), r.erase("images_per_second");
    return records;
  }

  nlohmann::json record(const std::string& name) const {
    return nlohmann::json::parse(read_text_file(folder_.path(name + "/run.json")));
  }

  static TrainControl resuming() {
    TrainControl control;
    control.resume = true;
    return control;
  }

  // A control that stops the run after that many steps of this session.
  static TrainControl stop_after(int steps, bool resume = false) {
    TrainControl control;
    control.resume = resume;
    control.stop = [left = steps]() mutable { return --left <= 0 ? StopReason::kTime : StopReason::kNone; };
    return control;
  }

  TemporaryFolder folder_;
  EngineTable engines_ = engines_here();
};

}  // namespace signstep
