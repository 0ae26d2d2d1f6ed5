// SPDX-License-Identifier: Apache-2.0
#include "signstep/optim/optimizer.h"

#include <cmath>

#include "signstep/optim/span_rules.h"
#include "signstep/parallel/pieces.h"

namespace signstep {
namespace {

bool is_adam(OptimizerKind kind) { return kind == OptimizerKind::kAdam || kind == OptimizerKind::kAdamW; }

StepReport sign_rule(const UpdatePlan& plan, OptimizerState& state, std::span<const TensorSlot> slots,
                     std::span<float> values, std::span<const float> gradients, double rate, Executor& executor) {
  std::vector<StepTensor> tensors;
  for (const TensorSlot& slot : slots) {
    StepTensor t;
    t.x = values.data() + slot.offset;
    t.g = gradients.data() + slot.offset;
    t.m = state.m.empty() ? nullptr : state.m.data() + slot.offset;
    t.maximum = state.maximum.empty() ? nullptr : state.maximum.data() + slot.offset;
    t.n = slot.size;
    tensors.push_back(t);
  }
  const std::vector<TensorRate> rates(tensors.size(), {rate, plan.optimizer.decoupled_weight_decay.value_or(0)});
  KernelStepper kernels(executor);
  return sign_optimizer_step(plan, state.sign, state.step, tensors, rates, kernels);
}

StepReport gradient_rule(const UpdatePlan& plan, OptimizerState& state, std::span<const TensorSlot> slots,
                         std::span<float> values, std::span<const float> gradients, double rate, Executor& executor) {
  const OptimizerOptions& o = plan.optimizer;
  const auto lr = static_cast<float>(rate);
  const auto keep =
      static_cast<float>(decay_factor(rate, o.decoupled_weight_decay.value_or(0), "decoupled_weight_decay"));
  const auto l2 = static_cast<float>(o.l2_penalty.value_or(0));
  const double beta1 = o.beta1.value_or(0), beta2 = o.beta2.value_or(0);
  const auto t = static_cast<double>(state.step + 1);
  const SgdRule sgd{lr, static_cast<float>(o.momentum.value_or(0)), l2, keep, o.nesterov};
  const AdamRule adam{
      lr, beta1, beta2, static_cast<float>(o.epsilon), l2, keep, 1 - std::pow(beta1, t), 1 - std::pow(beta2, t)};
  std::vector<uint64_t> nonfinite(slots.size());
  const auto size = [&](size_t tensor) { return slots[tensor].size; };
  sum_pieces(std::span(nonfinite), executor, size, [&](size_t tensor, size_t begin, size_t end) {
    const size_t at = slots[tensor].offset + begin, count = end - begin;
    const auto x = values.subspan(at, count);
    const auto g = gradients.subspan(at, count);
    const auto of = [&](std::vector<float>& s) {
      return s.empty() ? std::span<float>() : std::span(s).subspan(at, count);
    };
    return is_adam(o.optimizer) ? adam_step(adam, x, g, of(state.m), of(state.v)) : sgd_step(sgd, x, g, of(state.m));
  });
  StepReport report;
  for (size_t tensor = slots.size(); tensor-- > 0;) {
    if (nonfinite[tensor] > 0) report.first_nonfinite = tensor;
    report.nonfinite += nonfinite[tensor];
  }
  return report;
}

}  // namespace

OptimizerState make_state(const UpdatePlan& plan, size_t flat_elements, size_t tensors) {
  OptimizerState state;
  const bool adam = is_adam(plan.optimizer.optimizer);
  if (adam || needs_average(plan)) state.m.resize(flat_elements);
  if (adam) state.v.resize(flat_elements);
  if (keeps_maximum(plan.dither)) state.maximum.resize(flat_elements);
  state.sign = make_sign_state(plan, tensors);
  return state;
}

StepReport optimizer_step(const UpdatePlan& plan, OptimizerState& state, std::span<const TensorSlot> tensors,
                          std::span<float> values, std::span<const float> gradients, double factor,
                          Executor& executor) {
  const double rate = *plan.optimizer.learning_rate * factor;
  StepReport report;
  if (is_sign_rule(plan.optimizer.optimizer)) {
    report = sign_rule(plan, state, tensors, values, gradients, rate, executor);
  } else {
    report = gradient_rule(plan, state, tensors, values, gradients, rate, executor);
  }
  ++state.step;
  return report;
}

}  // namespace signstep
