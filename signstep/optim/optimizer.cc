// SPDX-License-Identifier: Apache-2.0
#include "signstep/optim/optimizer.h"

#include <cmath>

#include "signstep/optim/blocks.h"
#include "signstep/optim/span_rules.h"

namespace signstep {

OptimizerState make_state(const OptimizerOptions& o, size_t flat_elements) {
  OptimizerState state;
  const bool adam = o.optimizer == OptimizerKind::kAdam || o.optimizer == OptimizerKind::kAdamW;
  if (adam || o.optimizer == OptimizerKind::kLion || o.momentum.value_or(0) > 0) state.m.resize(flat_elements);
  if (adam) state.v.resize(flat_elements);
  return state;
}

uint64_t optimizer_step(const OptimizerOptions& o, OptimizerState& state, std::span<const TensorSlot> tensors,
                        std::span<float> values, std::span<const float> gradients, double factor, Executor& executor) {
  const double rate = *o.learning_rate * factor;
  const auto lr = static_cast<float>(rate);
  const auto keep = static_cast<float>(1.0 - rate * o.decoupled_weight_decay.value_or(0));
  const auto l2 = static_cast<float>(o.l2_penalty.value_or(0));
  const auto momentum = static_cast<float>(o.momentum.value_or(0));
  const auto beta1 = static_cast<float>(o.beta1.value_or(momentum)), beta2 = static_cast<float>(o.beta2.value_or(momentum));
  const auto t = static_cast<double>(++state.step);
  const SignRule sign{lr, beta1, beta2, keep};
  const SgdRule sgd{lr, momentum, l2, keep, o.nesterov};
  const double adam1 = o.beta1.value_or(0), adam2 = o.beta2.value_or(0);
  const AdamRule adam{lr, adam1, adam2, static_cast<float>(o.epsilon), l2, keep, 1 - std::pow(adam1, t), 1 - std::pow(adam2, t)};

  std::vector<size_t> sizes;
  for (const TensorSlot& slot : tensors) sizes.push_back(slot.size);
  return for_each_piece(sizes, executor, [&](size_t tensor, size_t begin, size_t end) {
    const size_t at = tensors[tensor].offset + begin, count = end - begin;
    const auto x = values.subspan(at, count);
    const auto g = gradients.subspan(at, count);
    const auto of = [&](std::vector<float>& s) { return s.empty() ? std::span<float>() : std::span(s).subspan(at, count); };
    switch (o.optimizer) {
      case OptimizerKind::kSgd:
        return sgd_step(sgd, x, g, of(state.m));
      case OptimizerKind::kAdam:
      case OptimizerKind::kAdamW:
        return adam_step(adam, x, g, of(state.m), of(state.v));
      default:
        return sign_step(sign, x, g, of(state.m));
    }
  });
}

}  // namespace signstep
