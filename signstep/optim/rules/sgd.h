// SPDX-License-Identifier: Apache-2.0
// SGD with PyTorch's heavy ball without dampening (Sutskever et al. 2013) or Nesterov's momentum:
//
//   h = g + l2 x;  m = momentum m + h;  x = k x - lr (h + momentum m if nesterov, else m),  k = 1 - lr decay
//
// State: m, unless momentum is 0. The SGD phase behind a switch is another recursion, kernels/sgd_kernel.h: an average
// (1 - mu) h that weighs to 1, so that both cannot be one loop to the same bits.
#pragma once

#include <cstdint>
#include <span>

#include "signstep/kernels/baseline_element.h"
#include "signstep/optim/rule_table.h"

namespace signstep {

struct SgdOptions final : RuleOptions {
  std::optional<double> learning_rate;           // > 0, per step
  std::optional<double> momentum;                // [0, 1)
  std::optional<double> decoupled_weight_decay;  // >= 0: x *= 1 - lr * decay
  std::optional<double> l2_penalty;              // >= 0: g += penalty * x
  bool nesterov = false;

  void describe(OptionList& list) override;
  void resolve() override;
  std::unique_ptr<UpdateRule> make(const RuleContext& context) const override;
  void require_unused() const override;
};

RuleFamily sgd_family();

// One step of plain spans of one length, the specification: x is stepped in place, g is only read, m may be empty when
// momentum is 0. Returns how many coordinates of a NaN or infinite g were left alone, their m too.
uint64_t heavy_ball_step(const HeavyBall& rule, std::span<float> x, std::span<const float> g, std::span<float> m);

}  // namespace signstep
