// SPDX-License-Identifier: Apache-2.0
#include "signstep/cuda/device_floats.h"

#include <algorithm>

namespace signstep {

DeviceFloats::DeviceFloats(int device, size_t n) : calls_(device_calls()), device_(device) {
  require_success(calls_, calls_.allocate(device_, std::max<size_t>(1, n) * sizeof(float), nullptr, &memory_),
                  "taking memory for an array");
}

DeviceFloats::~DeviceFloats() { calls_.release(device_, nullptr, memory_); }

void DeviceFloats::copy(void* to, const void* from, size_t bytes, void* stream) const {
  if (bytes == 0) return;
  require_success(calls_, calls_.copy(device_, stream, to, from, bytes), "copying an array");
  require_success(calls_, calls_.wait(device_, stream), "waiting for the copy of an array");
}

void DeviceFloats::write(std::span<const float> values, void* stream) {
  copy(memory_, values.data(), values.size_bytes(), stream);
}

void DeviceFloats::read(std::span<float> values, void* stream) const {
  copy(values.data(), memory_, values.size_bytes(), stream);
}

}  // namespace signstep
