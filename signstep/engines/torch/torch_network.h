// SPDX-License-Identifier: Apache-2.0
// A network's forward pass as LibTorch calls, over tensors that the caller holds.
#pragma once

#include <torch/torch.h>

#include <vector>

#include "signstep/nn/network.h"

namespace signstep {

class TorchNetwork {
 public:
  // parameters and buffers in the order of the network's, shaped as it says. The tensors are shared, not copied.
  // fuses_on: where norms are trained by our kernels (fused_norm.h), with what follows them.
  TorchNetwork(const Network& network, std::vector<at::Tensor> parameters, std::vector<at::Tensor> buffers,
               at::DeviceType fuses_on = at::kCUDA);

  // images (n, channels, height, width), best in channels-last memory; returns logits (n, classes).
  // training: batch statistics, and the running ones move by a tenth of the way (PyTorch's momentum 0.1).
  at::Tensor forward(const at::Tensor& images, bool training) const;

  const std::vector<at::Tensor>& parameters() const { return parameters_; }

 private:
  struct Step {
    Layer layer;
    at::Tensor weight, bias, mean, variance;  // what the layer has; the last two not for group norm
  };
  static at::Tensor compute(const Step& step, at::Tensor x, bool training);
  bool is_fused(size_t i, const at::Tensor& x) const;
  // The norm at place i with what follows it, as far as it is one of ours; i becomes the place behind. x is its input,
  // kept what its block began with, which becomes the shortcut's result.
  at::Tensor fused(size_t& i, const at::Tensor& x, at::Tensor& kept) const;

  std::vector<at::Tensor> parameters_;
  std::vector<Step> steps_;
  at::DeviceType fuses_on_;
};

}  // namespace signstep
