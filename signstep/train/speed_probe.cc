// SPDX-License-Identifier: Apache-2.0
#include "signstep/train/speed_probe.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <utility>

#include "signstep/base/stopwatch.h"
#include "signstep/data/augment.h"
#include "signstep/data/normalize.h"
#include "signstep/random/random.h"
#include "signstep/train/learner.h"

namespace signstep {
namespace {

double seconds_of(const std::function<void()>& work) {
  const Stopwatch watch;
  work();
  return watch.seconds();
}

double median_seconds(const std::function<void()>& work, double seconds) {
  std::vector<double> times;
  do times.push_back(seconds_of(work));
  while (std::accumulate(times.begin(), times.end(), 0.0) < seconds);
  return median(times);
}

}  // namespace

ImageShape framed_shape(int channels, int height, int width, int classes) {
  return {channels, framed_side(height), framed_side(width), classes};
}

Batch random_batch(size_t count, const ImageShape& shape) {
  Batch batch{.count = count,
              .height = shape.height,
              .width = shape.width,
              .channels = shape.channels,
              .images = {},
              .labels = {}};
  SequentialRandom random(Stream(1, Purpose::kProblem));
  batch.images.resize(count * static_cast<size_t>(shape.height * shape.width * shape.channels));
  for (float& x : batch.images) x = static_cast<float>(random.normal());
  for (size_t i = 0; i < count; ++i) batch.labels.push_back(random.below(static_cast<uint32_t>(shape.classes)));
  return batch;
}

TwoBatches random_bytes_batch(size_t count) {
  TwoBatches out;
  out.rendered = random_batch(count, {});
  ImageSet set{.channels = 3, .height = 32, .width = 32, .classes = 10, .pixels = {}, .labels = {}};
  set.labels.assign(out.rendered.labels.begin(), out.rendered.labels.end());
  set.pixels.resize(count * set.image_size());
  SequentialRandom random(Stream(2, Purpose::kProblem));
  for (uint8_t& pixel : set.pixels) pixel = static_cast<uint8_t>(random.below(256));
  const auto tables = std::make_shared<const PixelTables>(pixel_tables({{0.5f, 0.5f, 0.5f}, {0.29f, 0.29f, 0.29f}}));
  for (size_t i = 0; i < count; ++i)
    render(set, static_cast<uint32_t>(i), *tables, {}, out.rendered.images.data() + i * set.image_size());
  out.raw = {.count = count, .height = 32, .width = 32, .channels = 3, .images = {}, .labels = out.rendered.labels};
  out.raw.raw = {.height = 32,
                 .width = 32,
                 .pixels = std::move(set.pixels),
                 .windows = std::vector<Window>(count),
                 .tables = tables};
  return out;
}

double training_speed(const TrainOptions& options, const EngineTable& engines, const ImageShape& images) {
  constexpr double kSeconds = 2;
  const Network network = make_network(options.network, images.channels, images.classes);
  Learner learner(choose_engine(engines, options.engine, network).make(network), make_rule(options.optimizer));
  initialize(network, 1, learner.engine().values(), learner.engine().buffers());
  const Batch batch = random_batch(static_cast<size_t>(options.batch), images);
  learner.step(batch);
  return static_cast<double>(options.batch) / median_seconds([&] { learner.step(batch); }, kSeconds);
}

double forward_seconds(Engine& engine, const Batch& batch, double seconds, double give_up) {
  initialize(engine.network(), 1, engine.values(), engine.buffers());
  const auto forward = [&] { engine.evaluate(batch); };
  const double first = seconds_of(forward);
  return first > give_up ? first : median_seconds(forward, seconds);
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t n = values.size();
  return n == 0 ? 0.0 : n % 2 == 1 ? values[n / 2] : 0.5 * (values[n / 2 - 1] + values[n / 2]);
}

}  // namespace signstep
