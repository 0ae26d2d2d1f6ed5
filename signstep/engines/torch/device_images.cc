// SPDX-License-Identifier: Apache-2.0
#include "signstep/engines/torch/device_images.h"

#include <ATen/ATen.h>

namespace signstep {

at::Tensor DeviceImages::bytes(const void* data, size_t size) const {
  return at::from_blob(const_cast<void*>(data), {static_cast<int64_t>(size)}, at::kByte).to(device_);
}

at::Tensor DeviceImages::of(const Batch& b) {
  const RawImages& raw = b.raw;
  if (tables_ != raw.tables) {
    tables_there_ = bytes(raw.tables->data(), raw.tables->size() * sizeof raw.tables->front());
    tables_ = raw.tables;
  }
  const at::Tensor pixels = bytes(raw.pixels.data(), raw.pixels.size());
  const at::Tensor windows = bytes(raw.windows.data(), raw.windows.size() * sizeof(Window));
  const at::Tensor images = at::empty({static_cast<int64_t>(b.count), b.height, b.width, b.channels},
                                      at::TensorOptions(device_).dtype(at::kFloat));
  const RenderArguments arguments{.shape = {b.channels, raw.height, raw.width, b.height, b.width},
                                  .count = b.count,
                                  .pixels = pixels.data_ptr<uint8_t>(),
                                  .windows = reinterpret_cast<const Window*>(windows.data_ptr<uint8_t>()),
                                  .tables = reinterpret_cast<const float*>(tables_there_.data_ptr<uint8_t>()),
                                  .out = images.data_ptr<float>()};
  const DeviceCalls& calls = device_calls();
  const int device = images.is_cuda() ? static_cast<int>(images.get_device()) : 0;
  require_success(calls, calls.render(device, nullptr, &arguments), "making a batch's images");
  return images.permute({0, 3, 1, 2});
}

}  // namespace signstep
