// SPDX-License-Identifier: Apache-2.0
// How well a network does on a set of images.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "signstep/data/loader.h"
#include "signstep/nn/engine.h"
#include "signstep/options/train_options.h"
#include "signstep/wire/communicator.h"

namespace signstep {

struct Evaluation {
  double loss = 0;      // mean cross-entropy
  double accuracy = 0;  // percent
  size_t images = 0;
};
Evaluation evaluate(Engine& engine, Loader& loader);
// Nothing when stop says so, which is asked before each batch. Over ranks (null: alone), which have loaders and
// networks alike, each takes its turn at the batches, stop must answer alike and is asked before each round, and all
// get the figures of one that evaluates alone, to the bit.
std::optional<Evaluation> evaluate(Engine& engine, Loader& loader, const std::function<bool()>& stop,
                                   Communicator* world = nullptr);

// What the network says of each image, in the loader's order.
struct Predictions {
  size_t classes = 0;
  std::vector<uint32_t> labels, predicted;  // predicted: the class of the largest probability
  std::vector<float> probabilities;         // an image a row of all classes

  float probability(size_t image, uint32_t of) const { return probabilities[image * classes + of]; }
};
Evaluation evaluate(Engine& engine, Loader& loader, Predictions& predictions);

// A loader without augmentation or shuffling over the indices (all images when empty). set must outlive it.
std::unique_ptr<Loader> evaluation_loader(const ImageSet& set, std::vector<uint32_t> indices,
                                          const Normalization& normalization, const TrainOptions& options);

}  // namespace signstep
