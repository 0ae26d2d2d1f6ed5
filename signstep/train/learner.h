// SPDX-License-Identifier: Apache-2.0
// What learns: an engine that computes gradients, an update rule with its state, and a schedule, alone or with the
// other ranks of a run. Training, benchmarks and time estimates all take the step that is here.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "signstep/nn/engine.h"
#include "signstep/optim/optimizer.h"
#include "signstep/optim/schedule.h"
#include "signstep/runs/epoch_record.h"
#include "signstep/train/device_step.h"

namespace signstep {

struct LearnerStep {
  BatchResult batch;         // before the step; over ranks, the mean of their losses and the sum of what was correct
  double learning_rate = 0;  // lr_t, >= 0
  StepReport report;
  WireRecord sent = {};  // by this rank
};

class Learner {
 public:
  // The engine keeps its values and the rule starts with a fresh state. By default the rate is constant. world, which
  // must outlive the learner, is the ranks of the run: then constructor, step and share are collective
  // (wire/communicator.h), and every rank starts with the values and running statistics of rank 0. Throws OptionError
  // where the rule cannot be in a run of that many ranks.
  Learner(std::unique_ptr<Engine> engine, std::unique_ptr<UpdateRule> rule,
          Schedule schedule = Schedule({.schedule = ScheduleKind::kConstant}, 1), Communicator* world = nullptr);

  // Called between a batch's gradient and the step along it, with both of the same parameters. What it throws passes
  // through, and no step is taken.
  using Between = std::function<void(const BatchResult&)>;

  // The gradient of the mean loss over the batch, and one step of the rule along it: over ranks each has a batch of its
  // own, and all take the same step, by the vote of a rule that votes, else along the mean of their gradients, each
  // rank counting alike. Throws what engine, rule and world throw.
  LearnerStep step(const Batch& batch, const Between& between = {});

  // At the end of an epoch: the running statistics become their mean over the ranks, in rank order. Throws
  // EnvironmentError, which names the rank, where one holds other values than rank 0. Does nothing for who is alone.
  void share();

  Engine& engine() { return *engine_; }
  const Network& network() const { return engine_->network(); }
  const UpdateRule& rule() const { return *rule_; }
  // For a checkpoint to hold and to restore. Cost: where steps are taken on a device, a copy of its buffers. Ask again
  // after a step.
  OptimizerState& state();
  uint64_t steps() const { return state_.step; }  // taken so far
  // Of an engine on a device: whether its kernels take the steps, or why the CPU does; else "".
  const std::string& stepping() const { return stepping_; }
  double rate(uint64_t t) const { return rule_->learning_rate() * schedule_.factor(t); }  // of step t = 0, 1, ...

 private:
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<UpdateRule> rule_;
  Schedule schedule_;
  OptimizerState state_;
  std::vector<TensorSlot> slots_;
  Communicator* world_;  // null: alone
  std::string stepping_;
  std::unique_ptr<DeviceStep> device_;  // null: steps are taken in the host's memory
};

}  // namespace signstep
