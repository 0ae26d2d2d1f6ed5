// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "signstep/engines/torch/torch_engine.h"
#include "signstep/random/random.h"

namespace signstep {

inline Batch random_batch(size_t count, int channels, int classes, uint64_t seed = 3, int side = 32) {
  Batch batch{.count = count, .height = side, .width = side, .channels = channels, .images = {}, .labels = {}};
  SequentialRandom random(Stream(seed, Purpose::kProblem));
  batch.images.resize(count * static_cast<size_t>(side * side * channels));
  for (float& x : batch.images) x = static_cast<float>(random.normal());
  for (size_t i = 0; i < count; ++i) batch.labels.push_back(random.below(static_cast<uint32_t>(classes)));
  return batch;
}

// Images first .. first + count - 1.
inline Batch slice(const Batch& batch, size_t first, size_t count) {
  Batch part = batch;
  const auto size = static_cast<std::ptrdiff_t>(batch.images.size() / batch.count);
  const auto begin = static_cast<std::ptrdiff_t>(first), end = static_cast<std::ptrdiff_t>(first + count);
  part.count = count;
  part.images.assign(batch.images.begin() + begin * size, batch.images.begin() + end * size);
  part.labels.assign(batch.labels.begin() + begin, batch.labels.begin() + end);
  return part;
}

inline std::unique_ptr<Engine> engine_of(const NetworkOptions& network, Precision precision = Precision::kFp32) {
  auto engine = make_torch_engine(make_network(network, 3, 10), {.precision = precision, .threads = 1});
  initialize(engine->network(), 1, engine->values(), engine->buffers());
  return engine;
}

inline std::vector<float> copy(std::span<const float> s) { return {s.begin(), s.end()}; }

inline void descend(Engine& engine, float rate) {
  for (size_t i = 0; i < engine.values().size(); ++i) engine.values()[i] -= rate * engine.gradients()[i];
}

}  // namespace signstep
