// SPDX-License-Identifier: Apache-2.0
#include "signstep/train/evaluate.h"

#include <algorithm>
#include <numeric>

namespace signstep {
namespace {

constexpr size_t kEvaluationBatch = 256;

}  // namespace

Evaluation evaluate(Engine& engine, Loader& loader) {
  return *evaluate(engine, loader, [] { return false; });
}

std::optional<Evaluation> evaluate(Engine& engine, Loader& loader, const std::function<bool()>& stop) {
  Evaluation total;
  Batch batch;
  size_t correct = 0;
  loader.start_epoch(0);
  while (loader.next(batch)) {
    if (stop()) return std::nullopt;
    const BatchResult result = engine.evaluate(batch);
    total.loss += result.loss * static_cast<double>(batch.count);
    total.images += batch.count;
    correct += result.correct;
  }
  total.loss /= static_cast<double>(total.images);
  total.accuracy = 100.0 * static_cast<double>(correct) / static_cast<double>(total.images);
  return total;
}

std::unique_ptr<Loader> evaluation_loader(const ImageSet& set, std::vector<uint32_t> indices,
                                          const TrainOptions& options) {
  if (indices.empty()) {
    indices.resize(set.count());
    std::iota(indices.begin(), indices.end(), 0u);
  }
  LoaderOptions loader;
  loader.batch = std::min(kEvaluationBatch, indices.size());
  loader.threads = static_cast<size_t>(options.loader_threads);
  return std::make_unique<Loader>(set, std::move(indices), find_dataset(options.dataset).normalization, loader);
}

}  // namespace signstep
