// SPDX-License-Identifier: Apache-2.0
#include "signstep/train/epoch_figures.h"

namespace signstep {

double percent(uint64_t part, uint64_t whole) {
  return whole == 0 ? 0.0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole);
}

EpochRecord epoch_record(const TrainProgress& progress, const EpochFigures& figures, bool with_phase) {
  const auto& validation = figures.validation;
  EpochRecord r{.epoch = progress.epoch + 1,
                .step = figures.step,
                .learning_rate = figures.learning_rate,
                .train_loss = progress.loss_sum / static_cast<double>(progress.images),
                .train_accuracy = percent(progress.correct, progress.images),
                .validation_loss = validation ? validation->loss : kNotSaid,
                .validation_accuracy = validation ? validation->accuracy : kNotSaid,
                .test_loss = figures.test.loss,
                .test_accuracy = figures.test.accuracy,
                .nonfinite = progress.nonfinite,
                .course = progress.course,
                .train_seconds = progress.train_seconds,
                .images_per_second = figures.images_per_second.value_or(kNotSaid)};
  drop_silent(r.course.curve);
  if (!with_phase) r.course.phase.clear();
  return r;
}

}  // namespace signstep
