// SPDX-License-Identifier: Apache-2.0
#include "signstep/train/evaluate.h"

#include <algorithm>
#include <numeric>

#include "signstep/wire/gather.h"

namespace signstep {
namespace {

constexpr size_t kEvaluationBatch = 256;

void append(Predictions& out, const Batch& batch, std::span<const float> probabilities) {
  for (size_t i = 0; i < batch.count; ++i) {
    const auto row = probabilities.subspan(i * out.classes, out.classes);
    out.labels.push_back(static_cast<uint32_t>(batch.labels[i]));
    out.predicted.push_back(static_cast<uint32_t>(std::max_element(row.begin(), row.end()) - row.begin()));
  }
  out.probabilities.insert(out.probabilities.end(), probabilities.begin(), probabilities.end());
}

struct BatchFigures {
  double loss = 0;  // summed over the images
  uint64_t correct = 0;
};

std::optional<Evaluation> over_all(Engine& engine, Loader& loader, const std::function<bool()>& stop,
                                   Communicator* world, Predictions* predictions) {
  const size_t ranks = world ? world->size() : 1, rank = world ? world->rank() : 0;
  std::vector<BatchFigures> batches(loader.batches_per_epoch());
  Evaluation total;
  Batch batch;
  std::vector<float> probabilities;
  loader.start_epoch(0);
  for (size_t b = 0; loader.next(batch); ++b) {
    if (b % ranks == 0 && stop()) return std::nullopt;
    total.images += batch.count;
    if (b % ranks != rank) continue;
    if (predictions) probabilities.resize(batch.count * predictions->classes);
    const BatchResult result = engine.evaluate(batch, probabilities);
    if (predictions) append(*predictions, batch, probabilities);
    batches[b] = {result.loss * static_cast<double>(batch.count), result.correct};
  }
  if (ranks > 1) {
    const auto all = gathered(*world, std::span<const BatchFigures>(batches));
    for (size_t b = 0; b < batches.size(); ++b) batches[b] = all[b % ranks * batches.size() + b];
  }
  size_t correct = 0;
  for (const BatchFigures& figures : batches) {
    total.loss += figures.loss;
    correct += figures.correct;
  }
  total.loss /= static_cast<double>(total.images);
  total.accuracy = 100.0 * static_cast<double>(correct) / static_cast<double>(total.images);
  return total;
}

}  // namespace

std::optional<Evaluation> evaluate(Engine& engine, Loader& loader, const std::function<bool()>& stop,
                                   Communicator* world) {
  return over_all(engine, loader, stop, world, nullptr);
}

Evaluation evaluate(Engine& engine, Loader& loader) {
  return *over_all(
      engine, loader, [] { return false; }, nullptr, nullptr);
}

Evaluation evaluate(Engine& engine, Loader& loader, Predictions& predictions) {
  predictions = Predictions{};
  predictions.classes = static_cast<size_t>(engine.network().classes);
  return *over_all(
      engine, loader, [] { return false; }, nullptr, &predictions);
}

std::unique_ptr<Loader> evaluation_loader(const ImageSet& set, std::vector<uint32_t> indices,
                                          const Normalization& normalization, const TrainOptions& options) {
  if (indices.empty()) {
    indices.resize(set.count());
    std::iota(indices.begin(), indices.end(), 0u);
  }
  LoaderOptions loader;
  loader.batch = std::min(kEvaluationBatch, indices.size());
  loader.threads = static_cast<size_t>(options.loader_threads);
  return std::make_unique<Loader>(set, std::move(indices), normalization, loader);
}

}  // namespace signstep
