// SPDX-License-Identifier: Apache-2.0
#include "signstep/experiment/time_estimate.h"

#include <algorithm>
#include <numeric>

#include "signstep/base/error.h"
#include "signstep/experiment/same_data.h"

namespace signstep {

double run_seconds(const TrainOptions& run, size_t train, size_t test, double images_per_second) {
  const auto held_out = static_cast<double>(run.validation);
  const double trained =
      run.limit_train > 0 ? static_cast<double>(run.limit_train) : static_cast<double>(train) - held_out;
  const double epochs = static_cast<double>(run.epochs);
  const double tests = run.test_when == TestWhen::kEpoch ? epochs : run.test_when == TestWhen::kEnd ? 1 : 0;
  return (epochs * (trained + held_out / 3) + tests * static_cast<double>(test) / 3) / images_per_second;
}

double seconds_together(const std::vector<double>& runs, size_t at_a_time) {
  if (runs.empty()) return 0;
  const double total = std::accumulate(runs.begin(), runs.end(), 0.0);
  return std::max(*std::max_element(runs.begin(), runs.end()),
                  total / static_cast<double>(std::min(runs.size(), at_a_time)));
}

TimeEstimate::TimeEstimate(const ExperimentPlan& plan, const std::string& data, bool assume_missing) {
  for (const PlannedRun& run : plan.all_runs()) {
    const TrainOptions& o = run.options;
    const std::string key = data_set_of(run);
    if (images_.contains(key)) continue;
    Images images = official_counts(find_dataset(o.dataset), o.labels);
    try {
      images = count_dataset(o.dataset, data, o.labels, o.image_size);
    } catch (const DataError& e) {
      if (!assume_missing) throw;
      missing_ = e.what();
    }
    images_[key] = images;
  }
}

std::string TimeEstimate::key(const PlannedRun& run) {
  const TrainOptions& o = run.options;
  return fmt::format("{} width {} norm {} batch {} workers {} engine {} {} {}", o.network.name,
                     resolved(o.network).width, static_cast<int>(o.network.norm), o.batch, o.workers.workers,
                     o.engine.name, static_cast<int>(o.engine.device), static_cast<int>(o.engine.precision));
}

void TimeEstimate::saw(const PlannedRun& run, double images_per_second) {
  if (images_per_second > 0) speed_[key(run)] = images_per_second;
}

const TimeEstimate::Images& TimeEstimate::images(const PlannedRun& run) const { return images_.at(data_set_of(run)); }

std::optional<double> TimeEstimate::seconds(const PlannedRun& run) const {
  if (speed_.empty()) return std::nullopt;
  const auto known = speed_.find(key(run));
  const double speed = known != speed_.end() ? known->second : speed_.begin()->second;
  return run_seconds(run.options, images(run).train, images(run).test, speed);
}

}  // namespace signstep
