// SPDX-License-Identifier: Apache-2.0
// Steps a list of tensors by the chosen rule: options make a rule, the rule says which state there is, and a step is a
// function of rule and state (rule.h).
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "signstep/optim/optimizer_options.h"
#include "signstep/optim/rule.h"

namespace signstep {

// The rule of one run, from options that need not be resolved. Throws OptionError for what does not go together or
// cannot be in a run of that length; total_steps >= 1.
std::unique_ptr<UpdateRule> make_rule(OptimizerOptions optimizer, DitherOptions dither = {},
                                      SwitchOptions switching = {}, uint64_t seed = 0, uint64_t total_steps = 1,
                                      const WorkerOptions& workers = {});

// A fresh state for that many tensors in flat buffers of flat_elements.
OptimizerState make_state(const UpdateRule& rule, size_t flat_elements, size_t tensors);

// One step at schedule factor f >= 0: the rate is the rule's learning rate times f. Throws OptionError, before anything
// is touched, where that rate is negative or not finite or takes all of a weight by decay. Gradients that are NaN or
// infinite are counted in the report and their coordinates left alone. Cost: one pass over value, gradient and state.
// world: for a rule that joins the ranks (rule.h); gradients are then this rank's.
StepReport optimizer_step(const UpdateRule& rule, OptimizerState& state, std::span<const TensorSlot> tensors,
                          std::span<float> values, std::span<const float> gradients, double factor, Executor& executor,
                          Communicator* world = nullptr);

}  // namespace signstep
