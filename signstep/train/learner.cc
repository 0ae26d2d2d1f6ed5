// SPDX-License-Identifier: Apache-2.0
#include "signstep/train/learner.h"

#include <span>
#include <utility>

#include "signstep/train/ranks.h"
#include "signstep/wire/sum_over_ranks.h"

namespace signstep {
namespace {

// The network's parameters as a rule is given them.
std::vector<TensorSlot> tensor_slots(const Network& network) {
  std::vector<TensorSlot> slots;
  for (const TensorInfo& t : network.parameters) slots.push_back({t.offset, t.size, t.shape});
  return slots;
}

}  // namespace

Learner::Learner(std::unique_ptr<Engine> engine, std::unique_ptr<UpdateRule> rule, Schedule schedule,
                 Communicator* world)
    : engine_(std::move(engine)),
      rule_(std::move(rule)),
      schedule_(std::move(schedule)),
      state_(make_state(*rule_, network().parameter_elements, network().parameters.size())),
      slots_(tensor_slots(network())),
      world_(world != nullptr && world->size() > 1 ? world : nullptr) {
  if (world_ == nullptr) {
    device_ = device_step(*engine_, *rule_, stepping_);
    return;
  }
  if (engine_->on_device()) stepping_ = "the CPU takes the optimizer's steps, because several ranks take them together";
  rule_->require_ranks(world_->size());
  world_->broadcast(std::as_writable_bytes(engine_->values()), 0);
  world_->broadcast(std::as_writable_bytes(engine_->buffers()), 0);
}

LearnerStep Learner::step(const Batch& batch, const Between& between) {
  LearnerStep step;
  step.batch = engine_->forward_backward(batch);
  if (world_ != nullptr) step.batch = over_ranks(*world_, step.batch);
  if (between) between(step.batch);
  step.learning_rate = rate(state_.step);
  const uint64_t before = world_ != nullptr ? world_->sent().total() : 0;
  const bool joins = rule_->joins_ranks();
  if (world_ != nullptr && !joins) mean_over_ranks(*world_, engine_->gradients(), engine_->executor());
  const double factor = schedule_.factor(state_.step);
  step.report = device_ != nullptr ? device_->step(*engine_, *rule_, state_, slots_, factor)
                                   : optimizer_step(*rule_, state_, slots_, engine_->values(), engine_->gradients(),
                                                    factor, engine_->executor(), joins ? world_ : nullptr);
  if (world_ != nullptr) {
    const bool voted = joins && step.report.phase == SwitchPhase::kSign;
    (voted ? step.sent.vote : step.sent.gradient) = world_->sent().total() - before;
    step.sent.float32 = sum_bytes(engine_->network().parameter_count(), world_->size());
  }
  return step;
}

OptimizerState& Learner::state() {
  if (device_ != nullptr) device_->bring_to_host(state_);
  return state_;
}

void Learner::share() {
  if (world_ == nullptr) return;
  mean_over_ranks(*world_, engine_->buffers(), engine_->executor());
  require_same(*world_, std::as_bytes(engine_->values()), "parameters");
}

}  // namespace signstep
