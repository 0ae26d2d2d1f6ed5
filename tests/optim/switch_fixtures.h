// SPDX-License-Identifier: Apache-2.0
// Plans and sums that make the switch controller's estimates exactly what a test says.
#pragma once

#include "signstep/optim/rules/sign.h"
#include "signstep/optim/switch.h"
#include "tests/optim/fixtures.h"

namespace signstep {

using Sums = std::vector<StepStatistics>;

inline SwitchPlan plan_of(SwitchOptions o, uint64_t total = 1000, SignKind kind = SignKind::kSignum) {
  return plan_switch(resolved(o, switched_rule(resolved(SignOptions{.optimizer = kind})), {}), total);
}

// Swats reads nonzero / dot, so a tensor of these sums estimates exactly this ratio.
inline StepStatistics of_ratio(double ratio, uint64_t elements = 100) {
  const auto n = static_cast<double>(elements);
  return {.finite = elements, .nonzero = elements, .s_dot_v = n / ratio, .v_dot_v = n};
}
inline const StepStatistics kNoEstimate{.finite = 100, .nonzero = 100, .s_dot_v = -1, .v_dot_v = 1};

inline SwitchOptions auto_swats(int64_t patience, double tolerance = 0.1) {
  return {.switch_when = SwitchWhen::kAuto,
          .switch_projection = SwitchProjection::kSwats,
          .switch_average = 0.9,
          .switch_tolerance = tolerance,
          .switch_patience = patience,
          .switch_after = 0,
          .switch_fallback = 0.9,
          .switch_blend = 0};
}

inline SwitchOptions at_step(int64_t step, int64_t blend = 0) {
  return {.switch_when = SwitchWhen::kAt,
          .switch_step = step,
          .switch_projection = SwitchProjection::kSwats,
          .switch_average = 0.9,
          .switch_blend = blend};
}

inline SwitchOptions followed(SwitchOptions o) {
  o.switch_follow = true;
  return o;
}

inline SwitchOptions by_tensor(SwitchOptions o) {
  o.switch_scope = SwitchScope::kTensor;
  return o;
}

}  // namespace signstep
