// SPDX-License-Identifier: Apache-2.0
#include "signstep/study/time_estimate.h"

#include <algorithm>
#include <chrono>

#include "signstep/core/error.h"
#include "signstep/core/random.h"
#include "signstep/optim/optimizer.h"
#include "signstep/train/trainer.h"

namespace signstep {
namespace {

TimeEstimate::Images published_images(DatasetKind kind, CifarLabels labels) {
  const bool cifar = kind == DatasetKind::kCifar10 || kind == DatasetKind::kCifar100;
  const int classes = kind == DatasetKind::kCifar100 ? (labels == CifarLabels::kFine ? 100 : 20) : 10;
  if (cifar) return {.train = 50000, .test = 10000, .channels = 3, .height = 32, .width = 32, .classes = classes};
  return {.train = 60000, .test = 10000, .channels = 1, .height = 28, .width = 28, .classes = classes};
}

Batch random_batch(size_t count, const TimeEstimate::Images& images) {
  Batch batch{.count = count,
              .height = images.height,
              .width = images.width,
              .channels = images.channels,
              .images = {},
              .labels = {}};
  SequentialRandom random(Stream(1, Purpose::kProblem));
  batch.images.resize(count * static_cast<size_t>(images.height * images.width * images.channels));
  for (float& x : batch.images) x = static_cast<float>(random.normal());
  for (size_t i = 0; i < count; ++i) batch.labels.push_back(random.below(static_cast<uint32_t>(images.classes)));
  return batch;
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
                       .classes = set.train.classes};
    } catch (const DataError& e) {
      if (!assume_missing) throw;
      missing_ = e.what();
      images_[kind] = published_images(kind.first, kind.second);
    }
  }
}

std::string TimeEstimate::key(const PlannedRun& run) {
  return fmt::format("width {} batch {}", run.options.network.width, run.options.batch);
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

double measure_speed(const TrainOptions& options, const TimeEstimate::Images& images) {
  const EngineChoice choice = choose_engine(options.engine, options.network);
  const auto engine = make_engine(choice.options, resnet18_shape(options.network, images.channels, images.classes));
  initialize(engine->shape(), 1, engine->values(), engine->buffers());
  const Batch batch = random_batch(static_cast<size_t>(options.batch), images);
  const UpdatePlan plan = make_update_plan(options.optimizer);
  OptimizerState state = make_state(plan, engine->shape().parameter_elements, engine->shape().parameters.size());
  std::vector<TensorSlot> slots;
  for (const TensorInfo& t : engine->shape().parameters) slots.push_back({t.offset, t.size});
  double seconds = 0;
  int64_t steps = -1;  // the first one warms up
  while (steps < 1 || seconds < 2) {
    const auto begin = std::chrono::steady_clock::now();
    engine->forward_backward(batch);
    optimizer_step(plan, state, slots, engine->values(), engine->gradients(), 1.0, engine->executor());
    if (steps >= 0) seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    ++steps;
  }
  return static_cast<double>(steps * options.batch) / seconds;
}

}  // namespace signstep
