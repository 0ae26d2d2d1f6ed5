// SPDX-License-Identifier: Apache-2.0
// What learns: an engine that computes gradients, an update rule with its state, and a schedule. Training, benchmarks
// and time estimates all take the step that is here.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "signstep/nn/engine.h"
#include "signstep/optim/optimizer.h"
#include "signstep/optim/schedule.h"

namespace signstep {

struct LearnerStep {
  BatchResult batch;         // before the step
  double learning_rate = 0;  // lr_t, >= 0
  StepReport report;
};

class Learner {
 public:
  // The engine keeps its values and the rule starts with a fresh state. By default the rate is constant.
  Learner(std::unique_ptr<Engine> engine, std::unique_ptr<UpdateRule> rule,
          Schedule schedule = Schedule({.schedule = ScheduleKind::kConstant}, 1));

  // Called between a batch's gradient and the step along it, with both of the same parameters. What it throws passes
  // through, and no step is taken.
  using Between = std::function<void(const BatchResult&)>;

  // The gradient of the mean loss over the batch, and one step of the rule along it. Throws what engine and rule throw.
  LearnerStep step(const Batch& batch, const Between& between = {});

  Engine& engine() { return *engine_; }
  const Network& network() const { return engine_->network(); }
  const UpdateRule& rule() const { return *rule_; }
  OptimizerState& state() { return state_; }  // a checkpoint restores it
  const OptimizerState& state() const { return state_; }
  double rate(uint64_t t) const { return rule_->learning_rate() * schedule_.factor(t); }  // of step t = 0, 1, ...

 private:
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<UpdateRule> rule_;
  Schedule schedule_;
  OptimizerState state_;
  std::vector<TensorSlot> slots_;
};

}  // namespace signstep
