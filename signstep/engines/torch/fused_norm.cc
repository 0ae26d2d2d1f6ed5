// SPDX-License-Identifier: Apache-2.0
#include "signstep/engines/torch/fused_norm.h"

#include <torch/torch.h>

#include "signstep/cuda/device.h"
#include "signstep/libtorch/cuda_stream.h"

namespace signstep {
namespace {

constexpr at::MemoryFormat kOrder = at::MemoryFormat::ChannelsLast;

// What of the arguments follows from y.
NormArguments arguments_of(const at::Tensor& y, bool rectified) {
  NormArguments a{};
  a.rows = static_cast<uint64_t>(y.numel() / y.size(1));
  a.channels = static_cast<uint32_t>(y.size(1));
  set_norm_chunks(a);
  a.type = y.scalar_type() == at::kFloat ? ElementType::kFloat32 : ElementType::kBFloat16;
  a.rectified = rectified;
  a.momentum = 0.1f;
  a.epsilon = 1e-5f;
  a.y = y.data_ptr();
  return a;
}

at::Tensor floats(const at::Tensor& like, int64_t rows, int64_t columns) {
  return at::empty({rows, columns}, like.options().dtype(at::kFloat).memory_format(at::MemoryFormat::Contiguous));
}

// kFinish's numbers, one row each, and room for the sums of every chunk.
struct NormSpace {
  NormSpace(NormArguments& a, const at::Tensor& y, const at::Tensor& statistics)
      : partial(floats(y, 2 * static_cast<int64_t>(a.chunks), y.size(1))) {
    float* const at = statistics.data_ptr<float>();
    a.mean = at;
    a.inverse_std = at + a.channels;
    a.scale = at + 2 * a.channels;
    a.offset = at + 3 * a.channels;
    a.partial = reinterpret_cast<NormSums*>(partial.data_ptr<float>());
  }
  at::Tensor partial;
};

void launch(const at::Tensor& y, std::initializer_list<NormPass> passes, const NormArguments& a) {
  const DeviceCalls& calls = device_calls();
  const int device = device_number(y);
  void* const stream = y.is_cuda() ? current_cuda_stream(device) : nullptr;
  for (const NormPass pass : passes) require_success(calls, calls.norm(device, stream, pass, &a), "normalising");
}

at::Tensor as(const at::Tensor& y, const at::Tensor& other) {
  return other.to(y.scalar_type()).contiguous(kOrder);  // as they are, where they are so
}

struct NormFunction : torch::autograd::Function<NormFunction> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& y, const at::Tensor& weight,
                            const at::Tensor& bias, const at::Tensor& residual, const at::Tensor& running_mean,
                            const at::Tensor& running_variance, bool rectified, bool adds) {
    NormArguments a = arguments_of(y, rectified);
    const at::Tensor added = adds ? as(y, residual) : at::Tensor();
    const at::Tensor z = at::empty_like(y), statistics = floats(y, 4, y.size(1));
    const NormSpace space(a, y, statistics);
    a.residual = adds ? added.data_ptr() : nullptr;
    a.out = z.data_ptr();
    a.weight = weight.data_ptr<float>();
    a.bias = bias.data_ptr<float>();
    a.running_mean = running_mean.data_ptr<float>();
    a.running_variance = running_variance.data_ptr<float>();
    launch(y, {NormPass::kSums, NormPass::kFinish, NormPass::kApply}, a);
    // Without a residual whether z is above 0 follows from y.
    const bool by_z = rectified && adds;
    context->save_for_backward({y, statistics, by_z ? z : at::Tensor()});
    context->saved_data["rectified"] = rectified;
    context->saved_data["adds"] = adds;
    return z;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const at::Tensor &y = saved[0], &statistics = saved[1], &z = saved[2];
    const at::Tensor dz = as(y, gradients[0]), dy = at::empty_like(y);
    const at::Tensor residual = context->saved_data["adds"].toBool() ? at::empty_like(y) : at::Tensor();
    NormArguments a = arguments_of(y, context->saved_data["rectified"].toBool());
    const NormSpace space(a, y, statistics);
    const at::Tensor weight = floats(y, 1, y.size(1))[0], bias = floats(y, 1, y.size(1))[0],
                     c = floats(y, 2, y.size(1));
    a.z = z.defined() ? z.data_ptr() : nullptr;
    a.dz = dz.data_ptr();
    a.out = dy.data_ptr();
    a.residual_out = residual.defined() ? residual.data_ptr() : nullptr;
    a.weight_gradient = weight.data_ptr<float>();
    a.bias_gradient = bias.data_ptr<float>();
    a.c = c.data_ptr<float>();
    launch(y, {NormPass::kBackSums, NormPass::kBackFinish, NormPass::kBackApply}, a);
    return {dy, weight, bias, residual, at::Tensor(), at::Tensor(), at::Tensor(), at::Tensor()};
  }
};

}  // namespace

bool fused_norm_takes(const at::Tensor& y, at::DeviceType where) {
  if (y.device().type() != where || (y.is_cuda() && !knows_cuda_streams())) return false;
  if (y.scalar_type() != at::kFloat && y.scalar_type() != at::kBFloat16) return false;
  if (y.dim() != 4 || y.size(1) % kEight != 0 || y.size(1) > kMostNormChannels || y.numel() < 2 * y.size(1))
    return false;
  if (!y.is_contiguous(kOrder)) return false;
  return has_kernels(device_number(y));
}

at::Tensor fused_norm(const NormTensors& t, bool rectified) {
  const bool adds = t.residual.defined();
  const at::Tensor residual = adds ? t.residual : t.y.detach();  // a function takes no undefined tensor
  return NormFunction::apply(t.y, t.weight, t.bias, residual, t.running_mean, t.running_variance, rectified, adds);
}

}  // namespace signstep
