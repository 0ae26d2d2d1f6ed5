// SPDX-License-Identifier: Apache-2.0
// Run folders as the trainer leaves them, with made-up numbers.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "signstep/base/error.h"
#include "signstep/base/option.h"
#include "signstep/io/atomic_file.h"
#include "signstep/io/json_lines.h"

namespace signstep {

struct MadeUpRun {
  std::string optimizer = "Signum";
  int seed = 1;
  int epochs = 3;
  std::string extra_config = {};  // lines of config.toml
  bool switches = false, probes = false;
  std::string status = "finished", sha256 = "abc";
};

// What its repetitions may differ in, as those of `signstep train`.
inline OptionList made_up_options() {
  static uint64_t seed;
  static std::string output;
  OptionList list;
  list.seed("seed", seed, "").role(Role::kRepetition);
  list.text("output", output, "").role(Role::kResumable);
  return list;
}

// Epoch e of seed s: test accuracy 50 + 10 e + s, ten steps an epoch, switched at step 15,
// two probes an epoch whose signal is lost from the second epoch on.
inline void write_run(const std::string& folder, const MadeUpRun& run) {
  std::filesystem::create_directories(folder);
  nlohmann::ordered_json record = {{"schema_version", 1},
                                   {"status", run.status},
                                   {"started", "2026-01-01T00:00:00Z"},
                                   {"ended", nullptr},
                                   {"program", {{"version", "0.1.0"}, {"commit", "1234"}}},
                                   {"machine", {{"cpu", "a processor"}, {"threads", 2}}},
                                   {"engine", "torch 1.13.0, cpu, fp32, 1 threads"},
                                   {"data",
                                    {{"dataset", "cifar10"},
                                     {"sha256", run.sha256},
                                     {"official", true},
                                     {"train_images", 50},
                                     {"validation_images", 5},
                                     {"test_images", 10}}},
                                   {"network", {{"name", "ResNet-18"}, {"width", 4}, {"parameters", 99}}},
                                   {"optimizer", run.optimizer},
                                   {"seed", run.seed},
                                   {"last_epoch", nullptr}};
  write_file_atomic(
      folder + "/config.toml",
      fmt::format("optimizer = \"x\"\nlearning_rate = 0.001\nseed = {}\noutput = \"{}\"\nswitch_when = \"{}\"\n{}",
                  run.seed, folder, run.switches ? "at" : "never", run.extra_config));
  std::vector<nlohmann::ordered_json> epochs;
  for (int e = 1; e <= run.epochs; ++e) {
    nlohmann::ordered_json r = {{"epoch", e},
                                {"step", 10 * e},
                                {"learning_rate", 0.001 / e},
                                {"train_loss", 2.0 / e},
                                {"train_accuracy", 20.0 * e},
                                {"validation_loss", nullptr},
                                {"validation_accuracy", nullptr},
                                {"test_loss", 2.0 / e},
                                {"test_accuracy", 50.0 + 10 * e + run.seed},
                                {"train_seconds", 60.0 * e}};
    auto& curve = r["curve"];
    for (int step = 10 * e - 9; step <= 10 * e; ++step) {
      curve["step"].push_back(step);
      curve["loss"].push_back(2.0 / step);
      curve["accuracy"].push_back(2.0 * step);
      curve["learning_rate"].push_back(0.001);
      if (!run.switches) continue;
      curve["dither_level"].push_back(0.5);
      curve["gamma"].push_back(step <= 15 ? nlohmann::ordered_json(0.5) : nlohmann::ordered_json());
      if (e > 1) curve["lambda"].push_back(500.0);  // an epoch that measured nothing has no array
      curve["sgd_rate"].push_back(0.5);
    }
    if (run.switches && e == 2)
      r["events"] = nlohmann::ordered_json::array(
          {{{"step", 15}, {"event", "switch"}, {"text", "went over to SGD at rate 0.5"}}});
    if (run.probes)
      r["probe"] = {{"step", {10 * e - 5, 10 * e}},
                    {"signal", {2.1 / e, e == 1 ? 1.9 : -1.0}},
                    {"noise", {5.0, e == 1 ? nlohmann::ordered_json(3.0) : nlohmann::ordered_json()}},
                    {"agreement", {0.5, 0.6}}};
    epochs.push_back(r);
  }
  write_json_lines(folder + "/metrics.jsonl", epochs);
  if (!epochs.empty() && run.status != "running") record["last_epoch"] = epochs.back();
  write_file_atomic(folder + "/run.json", record.dump());
}

}  // namespace signstep
