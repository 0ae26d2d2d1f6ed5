// SPDX-License-Identifier: Apache-2.0
// Adam (Kingma, Ba 2015, arXiv 1412.6980), with an L2 penalty, and AdamW (Loshchilov, Hutter 2019, arXiv 1711.05101),
// with a decoupled decay:
//
//   h = g + l2 x;  m = beta1 m + (1 - beta1) h;  v = beta2 v + (1 - beta2) h^2
//   x = k x - lr / (1 - beta1^t) * m / (sqrt(v) / sqrt(1 - beta2^t) + epsilon),  k = 1 - lr decay,  t >= 1
//
// State: m and v.
#pragma once

#include <cstdint>
#include <span>

#include "signstep/kernels/baseline_element.h"
#include "signstep/optim/rule_table.h"

namespace signstep {

struct AdamOptions final : RuleOptions {
  explicit AdamOptions(bool is_adamw = false) : adamw(is_adamw) {}

  const bool adamw;
  std::optional<double> learning_rate;           // > 0, per step
  std::optional<double> decoupled_weight_decay;  // >= 0: x *= 1 - lr * decay (AdamW)
  std::optional<double> l2_penalty;              // >= 0: g += penalty * x    (Adam)
  std::optional<double> beta1, beta2;            // [0, 1)
  double epsilon = 1e-8;                         // > 0

  void describe(OptionList& list) override;
  void resolve() override;
  std::unique_ptr<UpdateRule> make(const RuleContext& context) const override;
  std::string instead_of(std::string_view option) const override;
};

RuleFamily adam_family();

// One step of plain spans of one length, the specification; correction_i = 1 - beta_i^t. x is stepped in place, g is
// only read. Returns how many coordinates of a NaN or infinite g were left alone, their m and v too.
struct AdamStep {
  float lr;
  double beta1, beta2;
  float epsilon, l2, decay_factor;
  double correction1, correction2;
};
AdamNumbers rounded(const AdamStep& rule);
uint64_t adam_step(const AdamStep& rule, std::span<float> x, std::span<const float> g, std::span<float> m,
                   std::span<float> v);

}  // namespace signstep
