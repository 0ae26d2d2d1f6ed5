// SPDX-License-Identifier: Apache-2.0
#include "signstep/optim/rules/rules.h"

#include "signstep/optim/rules/adam.h"
#include "signstep/optim/rules/error_feedback.h"
#include "signstep/optim/rules/sgd.h"
#include "signstep/optim/rules/sign.h"

namespace signstep {

const RuleTable& standard_rules() {
  static const RuleTable table({sign_family(), sgd_family(), adam_family(), error_feedback_family()}, "signum");
  return table;
}

}  // namespace signstep
