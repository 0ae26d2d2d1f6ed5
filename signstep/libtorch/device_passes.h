// SPDX-License-Identifier: Apache-2.0
// The passes of a step for tensors of CUDA devices, by their kernels: one launch for all tensors of a device.
#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <memory>
#include <set>
#include <span>
#include <vector>

#include "signstep/cuda/device_steps.h"
#include "signstep/cuda/entries.h"
#include "signstep/kernels/stepper.h"

namespace signstep {

class DevicePasses final : public Stepper {
 public:
  // type: whose tensors are taken. at::kCPU is for tests with the library of loops, whose device is the host.
  explicit DevicePasses(at::DeviceType type = at::kCUDA) : type_(type) {}
  ~DevicePasses() override;

  // Whether the kernels can step it: on a device, float32, float16 or bfloat16, dense, in any order. False too where
  // there are no kernels for the device; throws as has_kernels.
  bool takes(const at::Tensor& parameter);

  // For the next step. The gradient is of x's type and order, m and maximum float32 in that order, or undefined. None
  // of them may die before the step is over. Throws OptionError where the device's stream is being captured.
  void clear() { tensors_.clear(), asked_.clear(); }
  void add(uint32_t index, const at::Tensor& x, const at::Tensor& g, const at::Tensor& m, const at::Tensor& maximum);

  // Of those of the tensors that were added, found by their index; the others' statistics are left alone. Each waits
  // for its statistics. Throws EnvironmentError where the device fails, OptionError for what does not fit the random
  // counter.
  void sign(std::span<const StepTensor> tensors, std::span<const SignStep> steps,
            std::span<StepStatistics> statistics) override;
  void measure(std::span<const StepTensor> tensors, const SignStep& step,
               std::span<StepStatistics> statistics) override;
  void sgd(std::span<const StepTensor> tensors, std::span<const SgdPhaseStep> steps,
           std::span<StepStatistics> statistics) override;

 private:
  struct Added {
    int device;
    DeviceArrays arrays;
    float *m, *maximum;
    size_t n;
  };

  template <class Entry, class Set>
  void run(std::span<const StepTensor> tensors, std::span<StepStatistics> statistics, Entry&& entry, Set&& set);

  void* stream_of(int device) const;

  at::DeviceType type_;
  std::map<int, std::unique_ptr<DeviceSteps>> steps_;  // by device
  std::map<uint32_t, Added> tensors_;                  // by index
  std::set<int> asked_;                                // of whose tensors there are some, not in a capture
};

}  // namespace signstep
