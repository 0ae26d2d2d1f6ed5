// SPDX-License-Identifier: Apache-2.0
#include "signstep/engines/torch/resnet.h"

#include <map>

namespace signstep {

TorchResNet::TorchResNet(const NetworkShape& shape, std::vector<at::Tensor> parameters, std::vector<at::Tensor> buffers)
    : parameters_(std::move(parameters)) {
  std::map<std::string, at::Tensor> named;
  for (size_t i = 0; i < parameters_.size(); ++i) named[shape.parameters.at(i).name] = parameters_[i];
  for (size_t i = 0; i < buffers.size(); ++i) named[shape.buffers.at(i).name] = buffers[i];
  const bool batch_norm = shape.options.norm == NormKind::kBatch;
  const auto norm = [&](const std::string& name) {
    Norm n{named.at(name + ".weight"), named.at(name + ".bias"), {}, {}, 0};
    n.groups = norm_groups(n.weight.size(0));
    if (batch_norm) {
      n.mean = named.at(name + ".running_mean");
      n.variance = named.at(name + ".running_var");
    }
    return n;
  };
  stem_ = named.at("conv1.weight");
  stem_norm_ = norm("bn1");
  for (const BlockShape& b : resnet18_blocks(shape.options.width)) {
    Block block{named.at(b.prefix + ".conv1.weight"),
                named.at(b.prefix + ".conv2.weight"),
                {},
                norm(b.prefix + ".bn1"),
                norm(b.prefix + ".bn2"),
                {},
                b.stride};
    if (b.downsample()) {
      block.shortcut = named.at(b.prefix + ".downsample.0.weight");
      block.shortcut_norm = norm(b.prefix + ".downsample.1");
    }
    blocks_.push_back(std::move(block));
  }
  fc_weight_ = named.at("fc.weight");
  fc_bias_ = named.at("fc.bias");
}

at::Tensor TorchResNet::normalise(const Norm& n, const at::Tensor& x, bool training) const {
  // In float32: unlike batch norm, LibTorch's group norm takes no bf16 activations beside float32 weights.
  if (!n.mean.defined()) return at::group_norm(x.to(at::kFloat), n.groups, n.weight, n.bias, 1e-5);
  return at::batch_norm(x, n.weight, n.bias, n.mean, n.variance, training, 0.1, 1e-5, false);
}

at::Tensor TorchResNet::forward(const at::Tensor& images, bool training) const {
  const auto conv = [](const at::Tensor& x, const at::Tensor& weight, int64_t stride) {
    return at::conv2d(x, weight, {}, stride, /*padding=*/weight.size(2) / 2);
  };
  // With one input channel both memory layouts look alike, so the stem's output says which one the rest takes.
  at::Tensor x = conv(images, stem_, 1).contiguous(at::MemoryFormat::ChannelsLast);
  x = normalise(stem_norm_, x, training).relu_();
  for (const Block& b : blocks_) {
    at::Tensor y = normalise(b.norm1, conv(x, b.conv1, b.stride), training).relu_();
    y = normalise(b.norm2, conv(y, b.conv2, 1), training);
    if (b.shortcut.defined()) x = normalise(b.shortcut_norm, conv(x, b.shortcut, b.stride), training);
    x = y.add_(x).relu_();
  }
  return at::linear(x.mean(at::IntArrayRef{2, 3}), fc_weight_, fc_bias_);
}

}  // namespace signstep
