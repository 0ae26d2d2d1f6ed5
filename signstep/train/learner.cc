// SPDX-License-Identifier: Apache-2.0
#include "signstep/train/learner.h"

#include <utility>

namespace signstep {
namespace {

// The network's parameters as a rule is given them.
std::vector<TensorSlot> tensor_slots(const Network& network) {
  std::vector<TensorSlot> slots;
  for (const TensorInfo& t : network.parameters) slots.push_back({t.offset, t.size, t.shape});
  return slots;
}

}  // namespace

Learner::Learner(std::unique_ptr<Engine> engine, std::unique_ptr<UpdateRule> rule, Schedule schedule)
    : engine_(std::move(engine)),
      rule_(std::move(rule)),
      schedule_(std::move(schedule)),
      state_(make_state(*rule_, network().parameter_elements, network().parameters.size())),
      slots_(tensor_slots(network())) {}

LearnerStep Learner::step(const Batch& batch, const Between& between) {
  LearnerStep step;
  step.batch = engine_->forward_backward(batch);
  if (between) between(step.batch);
  step.learning_rate = rate(state_.step);
  step.report = optimizer_step(*rule_, state_, slots_, engine_->values(), engine_->gradients(),
                               schedule_.factor(state_.step), engine_->executor());
  return step;
}

}  // namespace signstep
