// SPDX-License-Identifier: Apache-2.0
#include "signstep/engines/torch/torch_network.h"

#include "signstep/engines/torch/fused_norm.h"

namespace signstep {
namespace {

using Kind = Layer::Kind;

at::Tensor normalise(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, const at::Tensor& mean,
                     const at::Tensor& variance, bool training) {
  // In float32: unlike batch norm, LibTorch's group norm takes no bf16 activations beside float32 weights.
  if (!mean.defined()) return at::group_norm(x.to(at::kFloat), norm_groups(weight.size(0)), weight, bias, 1e-5);
  return at::batch_norm(x, weight, bias, mean, variance, training, 0.1, 1e-5, /*cudnn_enabled=*/true);
}

}  // namespace

TorchNetwork::TorchNetwork(const Network& network, std::vector<at::Tensor> parameters, std::vector<at::Tensor> buffers,
                           at::DeviceType fuses_on)
    : parameters_(std::move(parameters)), fuses_on_(fuses_on) {
  size_t parameter = 0, buffer = 0;  // tensors come in the order of the layers
  for (const Layer& layer : network.layers) {
    Step step{.layer = layer, .weight = {}, .bias = {}, .mean = {}, .variance = {}};
    const bool norm = layer.kind == Kind::kNorm;
    if (norm || layer.kind == Kind::kConv || layer.kind == Kind::kLinear) step.weight = parameters_.at(parameter++);
    if (norm || layer.kind == Kind::kLinear) step.bias = parameters_.at(parameter++);
    if (norm && network.options.norm == NormKind::kBatch) {
      step.mean = buffers.at(buffer++);
      step.variance = buffers.at(buffer++);
    }
    steps_.push_back(std::move(step));
  }
}

at::Tensor TorchNetwork::compute(const Step& s, at::Tensor x, bool training) {
  switch (s.layer.kind) {
    case Kind::kConv: return at::conv2d(x, s.weight, {}, s.layer.stride, /*padding=*/s.layer.kernel / 2);
    case Kind::kNorm: return normalise(x, s.weight, s.bias, s.mean, s.variance, training);
    case Kind::kRelu: return x.relu_();  // x is a norm's or a sum's own result
    case Kind::kPad:
      x = x.slice(2, 0, c10::nullopt, s.layer.stride).slice(3, 0, c10::nullopt, s.layer.stride);
      return at::constant_pad_nd(x, {0, 0, 0, 0, 0, s.layer.out - s.layer.in});
    case Kind::kMeanPool: return x.mean(at::IntArrayRef{2, 3});
    case Kind::kLinear: return at::linear(x, s.weight, s.bias);
    case Kind::kFork:
    case Kind::kAdd: break;
  }
  return x;
}

at::Tensor TorchNetwork::fused(size_t& i, const at::Tensor& x, at::Tensor& kept) const {
  const Step& norm = steps_[i++];
  NormTensors tensors{x, norm.weight, norm.bias, norm.mean, norm.variance, {}};
  if (norm.layer.shortcut) return fused_norm(tensors, false);
  size_t next = i;
  while (next < steps_.size() && steps_[next].layer.shortcut) ++next;
  if (next < steps_.size() && steps_[next].layer.kind == Kind::kAdd) {
    while (i < next) {
      const bool by_kernels = is_fused(i, kept);
      kept = by_kernels ? fused(i, kept, kept) : compute(steps_[i++], kept, true);
    }
    tensors.residual = kept;
    ++i;
  }
  const bool rectified = i < steps_.size() && steps_[i].layer.kind == Kind::kRelu;
  i += rectified;
  return fused_norm(tensors, rectified);
}

bool TorchNetwork::is_fused(size_t i, const at::Tensor& x) const {
  return steps_[i].layer.kind == Kind::kNorm && steps_[i].mean.defined() && fused_norm_takes(x, fuses_on_);
}

at::Tensor TorchNetwork::forward(const at::Tensor& images, bool training) const {
  at::Tensor x = images, kept;
  for (size_t i = 0; i < steps_.size();) {
    const Step& s = steps_[i];
    at::Tensor& here = s.layer.shortcut ? kept : x;
    if (training && is_fused(i, here)) {
      here = fused(i, here, kept);
      continue;
    }
    if (s.layer.kind == Kind::kFork)
      kept = x;
    else if (s.layer.kind == Kind::kAdd)
      x = x.add_(kept);
    else
      here = compute(s, here, training);
    // With one input channel both memory layouts look alike, so the first result says which one the rest takes.
    if (i == 0) x = x.contiguous(at::MemoryFormat::ChannelsLast);
    ++i;
  }
  return x;
}

}  // namespace signstep
