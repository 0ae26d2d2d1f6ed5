// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "signstep/optim/rule_table.h"

namespace signstep {

// SignSGD, Signum, Lion, SGD, Adam and AdamW; Signum for who chooses none.
const RuleTable& standard_rules();

}  // namespace signstep
