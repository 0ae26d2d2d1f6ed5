// SPDX-License-Identifier: Apache-2.0
// A flat array of float32 in a device's memory.
#pragma once

#include <span>

#include "signstep/cuda/device.h"

namespace signstep {

class DeviceFloats {
 public:
  // n values, which are undefined. Throws EnvironmentError where there is no library, no device or no memory.
  DeviceFloats(int device, size_t n);
  ~DeviceFloats();
  DeviceFloats(const DeviceFloats&) = delete;
  DeviceFloats& operator=(const DeviceFloats&) = delete;

  float* data() const { return static_cast<float*>(memory_); }  // an address of the device

  // All n values to or from the host, after the work of that stream, and waits. Throws EnvironmentError.
  void write(std::span<const float> values, void* stream);
  void read(std::span<float> values, void* stream) const;

 private:
  void copy(void* to, const void* from, size_t bytes, void* stream) const;

  const DeviceCalls& calls_;
  int device_;
  void* memory_ = nullptr;
};

}  // namespace signstep
