// SPDX-License-Identifier: Apache-2.0
// A step of SGD or Adam as a table of tensors in device memory.
#pragma once

#include "signstep/cuda/step_table.h"
#include "signstep/kernels/baseline_element.h"

namespace signstep {

enum class Baseline : uint8_t { kSgd, kHeavyBall, kAdam };  // without m, with m, with m and v

struct BaselineEntry {
  DeviceTensor tensor;  // float32, x and g
  float *m, *v;
  union {
    HeavyBall ball;
    AdamNumbers adam;
  };
};

}  // namespace signstep
