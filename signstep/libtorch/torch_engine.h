// SPDX-License-Identifier: Apache-2.0
// The engine that computes gradients with LibTorch's autograd. No LibTorch type in this header.
#pragma once

#include "signstep/nn/engine.h"

namespace signstep {

enum class Precision { kFp32, kBf16, kAuto };
enum class Device { kCpu, kCuda };

struct TorchEngineOptions {
  Device device = Device::kCpu;
  Precision precision = Precision::kAuto;  // auto: bf16 where the CPU multiplies bf16 in hardware (and on CUDA), else fp32
  int64_t threads = 0;                     // 0: all that the process may use
};

// Parameters start at 0; see initialize(). Throws OptionError for a device that the linked LibTorch does not have.
std::unique_ptr<Engine> make_torch_engine(const NetworkShape& shape, const TorchEngineOptions& options);

Precision resolved_precision(Precision precision, Device device);

// "1.13.1", and whether it sees a CUDA device.
std::string libtorch_version();
bool libtorch_has_cuda();

}  // namespace signstep
