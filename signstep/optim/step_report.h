// SPDX-License-Identifier: Apache-2.0
// What a step of any rule tells of itself.
#pragma once

#include <cstddef>
#include <cstdint>

#include "signstep/optim/switch.h"

namespace signstep {

struct StepReport {
  uint64_t nonfinite = 0;      // coordinates left alone
  size_t first_nonfinite = 0;  // tensor of the first of them, where there is one
  // Of the rules that take a sign.
  double dither_level = 0;                 // c_t
  SwitchPhase phase = SwitchPhase::kSign;  // that this step was taken in
  SwitchReport switching;
};

}  // namespace signstep
