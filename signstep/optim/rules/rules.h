// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "signstep/optim/rule_table.h"

namespace signstep {

// SignSGD, Signum, Lion, SGD, Adam, AdamW and EF-SignSGD; Signum for who chooses none.
const RuleTable& standard_rules();

}  // namespace signstep
