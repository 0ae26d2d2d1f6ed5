// SPDX-License-Identifier: Apache-2.0
#include "signstep/optim/optimizer.h"

namespace signstep {

std::span<float> OptimizerState::buffer(std::string_view name) {
  for (StateBuffer& buffer : buffers)
    if (buffer.name == name) return buffer.values;
  return {};
}

std::unique_ptr<UpdateRule> make_rule(OptimizerOptions optimizer, DitherOptions dither, SwitchOptions switching,
                                      uint64_t seed, uint64_t total_steps, const WorkerOptions& workers) {
  resolve(optimizer, dither, switching);
  const std::unique_ptr<RuleOptions> own = optimizer.own();
  own->resolve();
  return own->make({dither, switching, seed, total_steps, workers});
}

OptimizerState make_state(const UpdateRule& rule, size_t flat_elements, size_t tensors) {
  OptimizerState state;
  for (std::string& name : rule.buffers())
    state.buffers.push_back({std::move(name), std::vector<float>(flat_elements)});
  state.extra = rule.extra(tensors);
  return state;
}

StepReport optimizer_step(const UpdateRule& rule, OptimizerState& state, std::span<const TensorSlot> tensors,
                          std::span<float> values, std::span<const float> gradients, double factor, Executor& executor,
                          Communicator* world) {
  const RuleStep step{tensors, values, gradients, rule.learning_rate() * factor, executor, world};
  const StepReport report = rule.step(step, state);
  ++state.step;
  return report;
}

}  // namespace signstep
