// SPDX-License-Identifier: Apache-2.0
#include "signstep/experiment/time_estimate.h"

#include <algorithm>

#include "signstep/base/error.h"
#include "signstep/train/speed_probe.h"
#include "signstep/train/trainer.h"

namespace signstep {
namespace {

TimeEstimate::Images published_images(const std::string& name, const std::string& labels) {
  const DatasetSpec& spec = find_dataset(name);
  return {.train = spec.train_images,
          .test = spec.test_images,
          .channels = spec.channels,
          .height = spec.height,
          .width = spec.width,
          .classes = spec.labels[label_kind(spec, labels)].classes};
}

}  // namespace

TimeEstimate::TimeEstimate(const ExperimentPlan& plan, const std::string& data, bool assume_missing) {
  for (const PlannedRun& run : plan.all_runs()) {
    const std::pair kind(run.options.dataset, run.options.labels);
    if (images_.contains(kind)) continue;
    try {
      const Dataset set = load_dataset(kind.first, data, kind.second);
      images_[kind] = {.train = set.train.count(),
                       .test = set.test.count(),
                       .channels = set.train.channels,
                       .height = set.train.height,
                       .width = set.train.width,
                       .classes = set.train.classes,
                       .folder = set.folder,
                       .checksum = set.checksum()};
    } catch (const DataError& e) {
      if (!assume_missing) throw;
      missing_ = e.what();
      images_[kind] = published_images(kind.first, kind.second);
    }
  }
}

std::string TimeEstimate::key(const PlannedRun& run) {
  return fmt::format("{} width {} batch {}", run.options.network.name, resolved(run.options.network).width,
                     run.options.batch);
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
  const Images& n = images(run);
  const double validation = static_cast<double>(run.options.validation),
               train = static_cast<double>(n.train) - validation;
  return static_cast<double>(run.options.epochs) * (train + (validation + static_cast<double>(n.test)) / 3) / speed;
}

double measure_speed(const TrainOptions& options, const EngineTable& engines, const TimeEstimate::Images& images) {
  constexpr double kSeconds = 2;
  const Network network = make_network(options.network, images.channels, images.classes);
  const auto engine = choose_engine(engines, options.engine, network).make(network);
  const Batch batch =
      random_batch(static_cast<size_t>(options.batch), {images.channels, images.height, images.width, images.classes});
  return static_cast<double>(options.batch) / step_seconds(*engine, options.optimizer, batch, kSeconds);
}

}  // namespace signstep
