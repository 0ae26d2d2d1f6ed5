// SPDX-License-Identifier: Apache-2.0
#include "signstep/experiment/time_estimate.h"

#include <algorithm>

#include "signstep/base/error.h"

namespace signstep {

double run_seconds(const TrainOptions& run, size_t train, size_t test, double images_per_second) {
  const auto held_out = static_cast<double>(run.validation);
  const double trained =
      run.limit_train > 0 ? static_cast<double>(run.limit_train) : static_cast<double>(train) - held_out;
  const double work = trained + (held_out + static_cast<double>(test)) / 3;
  return static_cast<double>(run.epochs) * work / images_per_second;
}

TimeEstimate::TimeEstimate(const ExperimentPlan& plan, const std::string& data, bool assume_missing) {
  for (const PlannedRun& run : plan.all_runs()) {
    const std::pair key(run.options.dataset, run.options.labels);
    if (images_.contains(key)) continue;
    Images images = official_counts(find_dataset(key.first), key.second);
    try {
      images = count_dataset(key.first, data, key.second, run.options.image_size);
    } catch (const DataError& e) {
      if (!assume_missing) throw;
      missing_ = e.what();
    }
    images_[key] = images;
  }
}

std::string TimeEstimate::key(const PlannedRun& run) {
  return fmt::format("{} width {} batch {} workers {}", run.options.network.name, resolved(run.options.network).width,
                     run.options.batch, run.options.workers.workers);
}

void TimeEstimate::saw(const PlannedRun& run, double images_per_second) {
  if (images_per_second > 0) speed_[key(run)] = images_per_second;
}

const TimeEstimate::Images& TimeEstimate::images(const PlannedRun& run) const {
  return images_.at({run.options.dataset, run.options.labels});
}

std::optional<double> TimeEstimate::seconds(const PlannedRun& run) const {
  if (speed_.empty()) return std::nullopt;
  const auto known = speed_.find(key(run));
  const double speed = known != speed_.end() ? known->second : speed_.begin()->second;
  return run_seconds(run.options, images(run).train, images(run).test, speed);
}

}  // namespace signstep
