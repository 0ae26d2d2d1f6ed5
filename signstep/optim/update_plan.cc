// SPDX-License-Identifier: Apache-2.0
#include "signstep/optim/update_plan.h"

#include "signstep/base/error.h"

namespace signstep {

UpdatePlan make_update_plan(const OptimizerOptions& optimizer, const DitherOptions& dither,
                            const SwitchOptions& switching, uint64_t seed, uint64_t total_steps) {
  UpdatePlan plan{resolved(optimizer), resolved(dither), {}, seed, total_steps};
  if (plan.dither.dither != DitherKind::kNone && !is_sign_rule(plan.optimizer.optimizer)) {
    throw OptionError(
        fmt::format("dither is on and {} takes no sign; leave dither out, or choose signsgd, signum or lion",
                    display_name(plan.optimizer.optimizer)));
  }
  plan.switching = plan_switch(resolved(switching, plan.optimizer, plan.dither), total_steps);
  return plan;
}

}  // namespace signstep
