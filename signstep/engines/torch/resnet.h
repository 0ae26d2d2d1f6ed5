// SPDX-License-Identifier: Apache-2.0
// ResNet-18's forward pass as LibTorch calls, over tensors that the caller holds.
#pragma once

#include <torch/torch.h>

#include <vector>

#include "signstep/nn/network.h"

namespace signstep {

class TorchResNet {
 public:
  // parameters and buffers in the order of shape, shaped as it says. The tensors are shared, not copied.
  TorchResNet(const NetworkShape& shape, std::vector<at::Tensor> parameters, std::vector<at::Tensor> buffers);

  // images (n, channels, height, width), best in channels-last memory; returns logits (n, classes).
  // training: batch statistics, and the running ones move by a tenth of the way (PyTorch's momentum 0.1).
  at::Tensor forward(const at::Tensor& images, bool training) const;

  const std::vector<at::Tensor>& parameters() const { return parameters_; }

 private:
  struct Norm {
    at::Tensor weight, bias, mean, variance;  // the last two undefined for group norm
    int64_t groups;
  };
  struct Block {
    at::Tensor conv1, conv2, shortcut;  // shortcut undefined for the identity
    Norm norm1, norm2, shortcut_norm;
    int64_t stride;
  };
  at::Tensor normalise(const Norm& norm, const at::Tensor& x, bool training) const;

  std::vector<at::Tensor> parameters_;
  at::Tensor stem_, fc_weight_, fc_bias_;
  Norm stem_norm_;
  std::vector<Block> blocks_;
};

}  // namespace signstep
