// SPDX-License-Identifier: Apache-2.0
// Who computes a step of SGD or Adam where the arrays do not lie in the host's memory (cuda/device_stepper.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <variant>

#include "signstep/kernels/baseline_element.h"

namespace signstep {

// float32 arrays of n elements in the stepper's memory, which do not overlap.
struct BaselineTensor {
  float* x = nullptr;        // stepped in place
  const float* g = nullptr;  // only read
  float* m = nullptr;        // null: SGD without momentum
  float* v = nullptr;        // Adam's; else null
  size_t n = 0;
};

using BaselineStep = std::variant<HeavyBall, AdamNumbers>;

class BaselineStepper {
 public:
  virtual ~BaselineStepper() = default;
  // One step of all tensors, which keep the same arrays. nonfinite[i]: how many elements of tensors[i] took none.
  virtual void baseline(std::span<const BaselineTensor> tensors, const BaselineStep& step,
                        std::span<uint64_t> nonfinite) = 0;
};

}  // namespace signstep
