// SPDX-License-Identifier: Apache-2.0
#include "signstep/train/progress.h"

#include <algorithm>

namespace signstep {
namespace {

constexpr uint64_t kPointsOfEpoch = 60;

const char* phase_name(SwitchPhase phase) {
  return phase == SwitchPhase::kSign ? "sign" : phase == SwitchPhase::kBlend ? "blend" : "sgd";
}

double percent_correct(uint64_t correct, uint64_t images) {
  return images == 0 ? 0.0 : 100.0 * static_cast<double>(correct) / static_cast<double>(images);
}

void append_point(StepCurve& curve, uint64_t t, const LearnerStep& step, const TrainSums& since, const TrainSums& now) {
  const SwitchReport& s = step.report.switching;
  curve.step.push_back(t);
  const uint64_t images = now.images - since.images;
  curve.loss.push_back((now.loss - since.loss) / static_cast<double>(images));
  curve.accuracy.push_back(percent_correct(now.correct - since.correct, images));
  curve.learning_rate.push_back(step.learning_rate);
  curve.dither_level.push_back(step.report.dither_level);
  curve.gamma.push_back(s.gamma.value_or(kNotSaid));
  curve.lambda.push_back(s.lambda.value_or(kNotSaid));
  curve.sgd_rate.push_back(s.sgd_rate.value_or(kNotSaid));
}

RunEvent event_record(const SwitchEvent& event) {
  return {.step = event.step,
          .event = event.reason == SwitchReason::kRefused ? RunEvent::kRefused : RunEvent::kSwitch,
          .lambda = event.lambda,
          .sgd_rate = event.sgd_rate,
          .heavy_ball_rate = event.heavy_ball_rate,
          .text = event.text()};
}

}  // namespace

void TrainProgress::add(const LearnerStep& step, uint64_t t, size_t count, uint64_t batches_per_epoch) {
  sums.loss += step.batch.loss * static_cast<double>(count);
  sums.correct += step.batch.correct;
  sums.images += count;
  if (batch % std::max<uint64_t>(1, batches_per_epoch / kPointsOfEpoch) == 0) {
    append_point(course.curve, t, step, at_point, sums);
    at_point = sums;
  }
  if (const auto& event = step.report.switching.event) course.events.push_back(event_record(*event));
  course.phase = phase_name(step.report.phase);
  nonfinite += step.report.nonfinite;
  wire.vote += step.sent.vote;
  wire.gradient += step.sent.gradient;
  wire.float32 += step.sent.float32;
  ++batch;
}

double TrainProgress::mean_loss() const { return sums.loss / static_cast<double>(sums.images); }

double TrainProgress::accuracy() const { return percent_correct(sums.correct, sums.images); }

const EpochRecord& TrainProgress::end_epoch(const EpochFigures& figures, uint64_t t, double learning_rate,
                                            bool with_phase) {
  const auto& [validation, test, images_per_second] = figures;
  EpochRecord r{.epoch = ++epoch,
                .step = t,
                .learning_rate = learning_rate,
                .train_loss = mean_loss(),
                .train_accuracy = accuracy(),
                .validation_loss = validation ? validation->loss : kNotSaid,
                .validation_accuracy = validation ? validation->accuracy : kNotSaid,
                .test_loss = test ? test->loss : kNotSaid,
                .test_accuracy = test ? test->accuracy : kNotSaid,
                .nonfinite = nonfinite,
                .course = course,
                .wire = wire,
                .train_seconds = train_seconds,
                .images_per_second = images_per_second.value_or(kNotSaid)};
  drop_silent(r.course.curve);
  if (!with_phase) r.course.phase.clear();
  metrics.push_back(std::move(r));
  batch = 0;
  sums = at_point = {};
  course = {};
  wire = {};
  return metrics.back();
}

}  // namespace signstep
