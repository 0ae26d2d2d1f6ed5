// SPDX-License-Identifier: Apache-2.0
// The images of a raw batch, made in the engine's memory by the CUDA kernel: bytes and windows go over, not floats.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>

#include "signstep/cuda/device.h"
#include "signstep/data/batch.h"

namespace signstep {

class DeviceImages {
 public:
  // device: where the images are wanted.
  explicit DeviceImages(at::Device device) : device_(device) {}

  // (count, channels, height, width) in channels-last memory, with the bits of render(). Throws EnvironmentError.
  at::Tensor of(const Batch& raw);

 private:
  at::Tensor bytes(const void* data, size_t size) const;

  at::Device device_;
  std::shared_ptr<const PixelTables> tables_;
  at::Tensor tables_there_;
};

}  // namespace signstep
