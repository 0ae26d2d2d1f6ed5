// SPDX-License-Identifier: Apache-2.0
// Arrays of the device, and a skip where there is none.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "signstep/base/error.h"
#include "signstep/cuda/device.h"

namespace signstep {

// For SetUp of a test of what runs on a device. SIGNSTEP_CUDA_LIBRARY names the library that is tested, the emulated
// one or CUDA's. With SIGNSTEP_CUDA_REQUIRED nothing is skipped.
inline void skip_without_device() {
  try {
    device_count();
  } catch (const EnvironmentError& e) {
    if (std::getenv("SIGNSTEP_CUDA_REQUIRED") != nullptr) FAIL() << e.what();
    GTEST_SKIP() << e.what();
  }
}

class DeviceTest : public ::testing::Test {
 protected:
  void SetUp() override { skip_without_device(); }
};

// A copy of values on device 0.
template <class T>
class DeviceArray {
 public:
  explicit DeviceArray(const std::vector<T>& values) : n_(values.size()) {
    const size_t bytes = std::max<size_t>(1, n_) * sizeof(T);
    require_success(calls_, calls_.allocate(0, bytes, &host_, &memory_), "a test's array");
    std::copy(values.begin(), values.end(), static_cast<T*>(host_));
    require_success(calls_, calls_.copy(0, nullptr, memory_, host_, n_ * sizeof(T)), "a test's copy");
    require_success(calls_, calls_.wait(0, nullptr), "a test's wait");
  }
  ~DeviceArray() { calls_.release(0, host_, memory_); }
  DeviceArray(const DeviceArray&) = delete;
  DeviceArray& operator=(const DeviceArray&) = delete;

  T* data() const { return static_cast<T*>(memory_); }
  // What is there after all work of the default stream.
  std::vector<T> values() const {
    require_success(calls_, calls_.copy(0, nullptr, host_, memory_, n_ * sizeof(T)), "a test's copy");
    require_success(calls_, calls_.wait(0, nullptr), "a test's wait");
    const T* const begin = static_cast<const T*>(host_);
    return std::vector<T>(begin, begin + n_);
  }

 private:
  const DeviceCalls& calls_ = device_calls();
  size_t n_;
  void *host_ = nullptr, *memory_ = nullptr;
};

}  // namespace signstep
