// SPDX-License-Identifier: Apache-2.0
// A table's entries from what the CPU's kernels take.
#pragma once

#include "signstep/cuda/baseline_table.h"
#include "signstep/kernels/baseline_stepper.h"

namespace signstep {

// How a tensor lies on the device: x and g of StepTensor as they are typed there.
struct DeviceArrays {
  void* x = nullptr;        // n values
  const void* g = nullptr;  // n gradients, of x's type or float32
  ElementType x_type = ElementType::kFloat32, g_type = ElementType::kFloat32;
  bool stochastic = false;  // rounding of an x that is not float32, by the draws of (seed, step, tensor)
  uint64_t seed = 0, step = 0;
};

// tensor.x and tensor.g are not looked at; m and maximum are float32 arrays of the device. Throws OptionError for what
// does not fit the random counter.
SignEntry sign_entry(const DeviceArrays& arrays, const StepTensor& tensor, const SignStep& step);
SgdEntry sgd_entry(const DeviceArrays& arrays, const StepTensor& tensor, const SgdPhaseStep& step);
BaselineEntry baseline_entry(const BaselineTensor& tensor, const BaselineStep& step);

}  // namespace signstep
