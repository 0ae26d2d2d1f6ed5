// SPDX-License-Identifier: Apache-2.0
// The end of the network in float32: mean over all pixels, linear layer, cross-entropy, and the way back.
#pragma once

#include <span>
#include <vector>

#include "signstep/engines/amx/tiles.h"
#include "signstep/nn/engine.h"
#include "signstep/parallel/executor.h"

namespace signstep::amx {

struct HeadShape {
  int64_t features = 0, classes = 0;
};

class Head {
 public:
  explicit Head(HeadShape shape) : shape_(shape) {}

  // Loss summed over the images (in their order, in double), and how many are right. weight is (classes, features).
  BatchResult forward(const Tiles& activations, std::span<const float> weight, std::span<const float> bias,
                      std::span<const int64_t> labels, Executor& executor);

  std::span<const float> probabilities() const { return probabilities_; }  // (images, classes), of the last forward

  // After forward on the same images: gradients of the mean loss, and the gradient at every pixel of the activations,
  // one row of padded channels for each of the groups' images.
  std::span<const float> backward(const Tiles& activations, std::span<const float> weight,
                                  std::span<float> weight_gradient, std::span<float> bias_gradient,
                                  std::span<const int64_t> labels, Executor& executor);

 private:
  HeadShape shape_;
  std::vector<float> pooled_, gradient_;  // (images padded to groups, channels padded to blocks)
  std::vector<float> probabilities_;      // (images, classes)
};

}  // namespace signstep::amx
