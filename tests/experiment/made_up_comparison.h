// SPDX-License-Identifier: Apache-2.0
// An experiment's run folders as the trainer leaves them, with made-up numbers.
#pragma once

#include <gmock/gmock.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "signstep/base/error.h"
#include "signstep/experiment/experiment_plan.h"
#include "signstep/io/atomic_file.h"
#include "signstep/io/config.h"
#include "signstep/io/json_lines.h"
#include "tests/support/message_of.h"
#include "tests/support/temporary_folder.h"

namespace signstep {

inline constexpr const char* kText = R"(
seeds = [1, 2, 3]
tuning_seeds = [101, 102]
[train]
width = 4
epochs = 1
[tune]
learning_rate = [0.1, 0.2, 0.4]
[[method]]
name = "SGD"
optimizer = "sgd"
paper = 91.38
[[method]]
name = "Sign|um, \"b\""
optimizer = "signum"
[paper]
source = "somewhere"
differences = ["other seeds"]
)";

// Run folders as the trainer leaves them, with accuracies of our choice.
inline void leave(const PlannedRun& run, double accuracy, const std::string& status = "finished",
                  const std::string& data = "abc", const nlohmann::ordered_json& times = {}) {
  std::filesystem::create_directories(run.folder);
  TrainOptions options = run.options;
  options.engine.name = "torch";
  options.engine.precision = Precision::kFp32;
  write_file_atomic(run.folder + "/config.toml", to_toml(option_list(options), "test"));
  const nlohmann::ordered_json epoch = {
      {"epoch", 1},
      {"step", 10},
      {"validation_accuracy", run.tuning ? nlohmann::ordered_json(accuracy) : nlohmann::ordered_json()},
      {"test_accuracy", run.tuning ? 99.0 : accuracy},
      {"train_loss", 1.0},
      {"train_seconds", 60.0}};
  nlohmann::ordered_json record = {{"status", status},
                                   {"optimizer", "SGD"},
                                   {"seed", run.seed},
                                   {"data", {{"dataset", "cifar10"}, {"sha256", data}}},
                                   {"last_epoch", status == "running" ? nlohmann::ordered_json() : epoch}};
  if (!times.is_null()) record.update(times);
  write_file_atomic(run.folder + "/run.json", record.dump());
  write_json_lines(run.folder + "/metrics.jsonl", {epoch});
}

class ComparisonTest : public testing::Test {
 protected:
  ExperimentPlan plan(const std::string& text = kText) {
    return make_plan(parse_experiment(text, "e.toml"), folder_.path("out"));
  }
  // Trial 1 of SGD and trial 2 of the other are best; trial 0 of both diverged once.
  void leave_tuning(const ExperimentPlan& p) {
    for (const PlannedRun& run : p.tuning) {
      const bool diverged = run.trial == 0 && run.seed == 101;
      leave(run, (run.trial == (run.row == 0 ? 1 : 2) ? 80.0 : 70.0) + 0.1 * static_cast<double>(run.seed - 101),
            diverged ? "diverged" : "finished");
    }
  }
  // All of it, finished.
  void leave_all(const ExperimentPlan& p) {
    leave_tuning(p);
    for (const PlannedRun& run : p.reported(0, 1)) leave(run, 60.0 + static_cast<double>(run.seed));
    for (const PlannedRun& run : p.reported(1, 2)) leave(run, 61.0 + 2 * static_cast<double>(run.seed));
  }
  TemporaryFolder folder_;
};

}  // namespace signstep
