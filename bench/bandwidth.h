// SPDX-License-Identifier: Apache-2.0
// What the kernels are measured against: the least work that reads and writes the same bytes.
#pragma once

#include <span>

#include "signstep/kernels/step.h"
#include "signstep/parallel/executor.h"

namespace signstep {

// x += g where m is null (12 bytes per element), else m += g, x += m (20 bytes). Cut into tasks like the kernels.
void bandwidth_step(std::span<const StepTensor> tensors, Executor& executor);

// The sum of values, in any order: 4 bytes read per element and nothing written. Cut into tasks like the kernels.
double read_sum(std::span<const float> values, Executor& executor);

}  // namespace signstep
