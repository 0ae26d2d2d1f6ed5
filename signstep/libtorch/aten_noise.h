// SPDX-License-Identifier: Apache-2.0
// The draws of steps by tensor operations (aten_step.h).
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>

#include "signstep/kernels/sign_kernel.h"

namespace signstep {

// The draws of one tensor's step, each a function of (seed, step, tensor, rank). Elements count in the order of their
// indices, the last one fastest, whatever the strides.
class AtenNoise {
 public:
  virtual ~AtenNoise() = default;

  // Standard normal numbers in like's shape, type and device.
  virtual at::Tensor normal(const at::Tensor& like) = 0;
  // +-1 by the law of the noise, in u's shape, type and device. sigma > 0, one number or one for each element; where u
  // is NaN the draw means nothing.
  virtual at::Tensor signs(const at::Tensor& u, const at::Tensor& sigma, DitherNoise law) = 0;
  // The means of such signs, without a draw: on the CPU the kernels', to the bit.
  virtual at::Tensor means(const at::Tensor& u, const at::Tensor& sigma, DitherNoise law) = 0;
  // +-1, each with probability 1/2.
  virtual at::Tensor coins(const at::Tensor& like) = 0;
};

// The kernels' own draws, to the bit: the words that docs/numerics.md gives to each element, compared in double. For
// tensors on the CPU, on LibTorch's threads. signs costs about 20 ns an element.
std::unique_ptr<AtenNoise> counter_noise(const SignStep& step, uint32_t index);

// A LibTorch generator of that device, with a 64-bit seed that is drawn from the four: the same law to 2^-22, another
// stream on each device, no host in the way. (The CPU's generator reads only 32 bits of its seed; it is here for
// tests.)
std::unique_ptr<AtenNoise> generator_noise(const SignStep& step, uint32_t index, at::Device device);

// counter_noise for the CPU, else generator_noise.
std::unique_ptr<AtenNoise> noise_for(at::Device device, const SignStep& step, uint32_t index);

}  // namespace signstep
