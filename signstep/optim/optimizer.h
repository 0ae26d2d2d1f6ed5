// SPDX-License-Identifier: Apache-2.0
// Steps a list of tensors by the chosen rule. Options, state and step are three things: OptimizerOptions says which
// rule, OptimizerState is all that a checkpoint must hold, optimizer_step joins them.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "signstep/core/executor.h"
#include "signstep/optim/optimizer_options.h"

namespace signstep {

// One tensor of the list: size elements that start at offset of every flat buffer (value, gradient, m and v alike).
struct TensorSlot {
  size_t offset = 0;
  size_t size = 0;
};

struct OptimizerState {
  uint64_t step = 0;     // steps taken
  std::vector<float> m;  // flat, like the values; empty for a rule without momentum (SignSGD keeps 0 bytes)
  std::vector<float> v;  // flat, Adam and AdamW only
};

// A fresh state for flat buffers of that many elements. options must be resolved.
OptimizerState make_state(const OptimizerOptions& options, size_t flat_elements);

// One step at schedule factor f (the rate is options.learning_rate * f). Returns how many gradients were NaN or
// infinite; those coordinates were left alone. Cost: one pass over value, gradient and state.
uint64_t optimizer_step(const OptimizerOptions& options, OptimizerState& state, std::span<const TensorSlot> tensors,
                        std::span<float> values, std::span<const float> gradients, double factor, Executor& executor);

}  // namespace signstep
