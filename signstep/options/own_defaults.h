// SPDX-License-Identifier: Apache-2.0
// Settings that were written for one update rule, taken for another.
#pragma once

#include <string>
#include <vector>

#include "signstep/options/train_options.h"

namespace signstep {

struct CarriedOver {
  std::vector<std::string> reset;  // options that had the first rule's own default, and are auto again
  std::vector<std::string> kept;   // numbers of the rule that somebody chose: they hold for the other rule too
};

// A run's record has every auto filled in with its rule's default; this takes them out again, so that another rule
// fills in its own. What has the default's value by choice cannot be told from it.
CarriedOver forget_own_defaults(TrainOptions& options);

// The same data, network, batches, epochs, schedule, seed and first weights, with nothing said of the rule's own
// numbers, of dither and of the switch.
void forget_method(TrainOptions& options);

}  // namespace signstep
