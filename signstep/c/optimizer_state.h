// SPDX-License-Identifier: Apache-2.0
// The numbers of a sign rule's state as JSON, both ways.
#pragma once

#include <string>

#include "signstep/optim/sign_optimizer.h"
#include "signstep/optim/sign_run_options.h"

namespace signstep {

struct SavedNumbers {
  uint64_t steps = 0;
  SignState state;
};

std::string write_state(const SavedNumbers& numbers, const SignRunOptions& options);

// Throws CheckpointError for text that is not such a state, and for one of other options (resolved), another number of
// tensors or another plan.
SavedNumbers read_state(const std::string& text, const SignRunOptions& options, const UpdatePlan& plan, size_t tensors);

}  // namespace signstep
