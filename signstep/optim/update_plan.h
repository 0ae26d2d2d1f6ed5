// SPDX-License-Identifier: Apache-2.0
// What a run's optimizer does, from options that fit together, built once.
#pragma once

#include <cstdint>

#include "signstep/optim/dither_options.h"
#include "signstep/optim/optimizer_options.h"
#include "signstep/optim/switch_options.h"

namespace signstep {

struct UpdatePlan {
  OptimizerOptions optimizer;  // resolved
  DitherOptions dither;        // resolved; none unless optimizer is a sign rule
  SwitchPlan switching;        // never unless optimizer is a sign rule
  uint64_t seed = 0;
  uint64_t total_steps = 1;  // of the run: what shares of the run mean
};

// Resolves all three. Throws OptionError for options that do not go together. total_steps >= 1.
UpdatePlan make_update_plan(const OptimizerOptions& optimizer, const DitherOptions& dither = {},
                            const SwitchOptions& switching = {}, uint64_t seed = 0, uint64_t total_steps = 1);

}  // namespace signstep
