// SPDX-License-Identifier: Apache-2.0
#include "signstep/train/epoch_record.h"

#include "signstep/train/curve.h"

namespace signstep {
namespace {

nlohmann::ordered_json or_null(const std::optional<double>& value) {
  return value ? nlohmann::ordered_json(*value) : nlohmann::ordered_json();
}

}  // namespace

double percent(uint64_t part, uint64_t whole) {
  return whole == 0 ? 0.0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole);
}

nlohmann::ordered_json epoch_record(const TrainProgress& progress, const EpochFigures& figures, bool with_phase) {
  const auto& validation = figures.validation;
  nlohmann::ordered_json r;
  r["epoch"] = progress.epoch + 1;
  r["step"] = figures.step;
  r["learning_rate"] = figures.learning_rate;
  r["train_loss"] = progress.loss_sum / static_cast<double>(progress.images);
  r["train_accuracy"] = percent(progress.correct, progress.images);
  r["validation_loss"] = or_null(validation ? std::optional(validation->loss) : std::nullopt);
  r["validation_accuracy"] = or_null(validation ? std::optional(validation->accuracy) : std::nullopt);
  r["test_loss"] = figures.test.loss;
  r["test_accuracy"] = figures.test.accuracy;
  r["nonfinite"] = progress.nonfinite;
  for (const auto& [key, value] : progress.curve.items())
    if (key != "phase" || with_phase) r[key] = key == "curve" ? without_silent(value) : value;
  r["train_seconds"] = progress.train_seconds;
  r["images_per_second"] = or_null(figures.images_per_second);
  return r;
}

}  // namespace signstep
