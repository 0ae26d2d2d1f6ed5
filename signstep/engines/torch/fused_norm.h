// SPDX-License-Identifier: Apache-2.0
// Batch normalisation in training with the addition and the rectifier behind it, by the kernels of cuda/norm_table.h,
// as one node of LibTorch's graph. The bits are the same every time and on every device; they are not at::batch_norm's,
// which adds in another order.
#pragma once

#include <ATen/core/Tensor.h>

namespace signstep {

// Whether the kernels take activations like these: images of at least two pixels in all, float32 or bfloat16, in
// channels-last order, with a multiple of 8 channels, at most 2048, where the library and a device are. Cost: the first
// call loads the library. where: kCPU in tests, whose library works on the host's memory.
bool fused_norm_takes(const at::Tensor& y, at::DeviceType where = at::kCUDA);

struct NormTensors {
  at::Tensor y;
  at::Tensor weight, bias;                    // float32, of the channels
  at::Tensor running_mean, running_variance;  // likewise; moved by a tenth, as at::batch_norm with momentum 0.1
  at::Tensor residual;                        // of y's shape, or undefined: nothing is added
};

// (y - mean) / sqrt(variance + 1e-5) weight + bias, plus the residual, and of this what is above 0 where rectified is
// true. Throws EnvironmentError where a launch fails. Cost: forward reads y twice and writes z, backward reads y and
// z's gradient twice and writes y's; with a residual one read forward, one write and two reads of z backward besides.
at::Tensor fused_norm(const NormTensors& tensors, bool rectified);

}  // namespace signstep
