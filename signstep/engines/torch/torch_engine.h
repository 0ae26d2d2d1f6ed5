// SPDX-License-Identifier: Apache-2.0
// The engine that computes gradients with LibTorch's autograd. No LibTorch type in this header.
#pragma once

#include "signstep/nn/engine.h"

namespace signstep {

enum class Precision { kFp32, kBf16, kAuto };
enum class Device { kCpu, kCuda };

struct TorchEngineOptions {
  Device device = Device::kCpu;
  Precision precision = Precision::kAuto;  // auto: bf16 where the hardware multiplies it, else fp32
  int64_t threads = 0;                     // 0: all that the process may use
};

// Parameters start at 0; see initialize(). Throws what resolved_precision throws.
std::unique_ptr<Engine> make_torch_engine(const NetworkShape& shape, const TorchEngineOptions& options);

// What auto stands for here. Throws OptionError for a device that the linked LibTorch does not see, and for bf16 on a
// CPU at a width that is no multiple of 16: oneDNN 2.6's bf16 convolutions write past their buffers at some such widths
// and batch sizes; auto takes fp32 there.
Precision resolved_precision(const TorchEngineOptions& options, int64_t width);

// "1.13.1", and whether it sees a CUDA device.
std::string libtorch_version();
bool libtorch_has_cuda();

}  // namespace signstep
