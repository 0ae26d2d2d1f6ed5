// SPDX-License-Identifier: Apache-2.0
// Steps a list of tensors by the chosen rule. Options, state and step are three things: an UpdatePlan says which
// rule, OptimizerState is all that a checkpoint must hold, optimizer_step joins them.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "signstep/optim/sign_optimizer.h"
#include "signstep/optim/update_plan.h"
#include "signstep/parallel/executor.h"

namespace signstep {

// One tensor of the list: size elements that start at offset of every flat buffer (value, gradient, m and v alike).
struct TensorSlot {
  size_t offset = 0;
  size_t size = 0;
};

struct OptimizerState {
  uint64_t step = 0;           // steps taken
  std::vector<float> m;        // flat, like the values; empty for a rule without momentum (SignSGD keeps 0 bytes)
  std::vector<float> v;        // flat, Adam and AdamW only
  std::vector<float> maximum;  // flat, dither maximum only: each coordinate's running maximum of |u|
  SignState sign;              // of the sign rules: dither's rms, the switch
};

// A fresh state for that many tensors in flat buffers of flat_elements.
OptimizerState make_state(const UpdatePlan& plan, size_t flat_elements, size_t tensors);

// One step at schedule factor f >= 0: the rate is the plan's learning rate times f. Throws OptionError, before anything
// is touched, where that rate is negative or not finite or takes all of a weight by decay (decay_factor). Gradients
// that are NaN or infinite are counted in the report and their coordinates left alone. Cost: one pass over value,
// gradient and state.
StepReport optimizer_step(const UpdatePlan& plan, OptimizerState& state, std::span<const TensorSlot> tensors,
                          std::span<float> values, std::span<const float> gradients, double factor, Executor& executor);

}  // namespace signstep
