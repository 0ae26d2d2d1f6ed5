// SPDX-License-Identifier: Apache-2.0
// All that a sign rule's run can be told, for who steps tensors of his own: signstep::SignSGD and the C interface.
#pragma once

#include <cstdint>
#include <string>

#include "signstep/optim/rules/sign.h"

namespace signstep {

struct SignRunOptions {
  SignOptions rule;  // signsgd, signum or lion; what sign(0) is; decoupled weight decay
  DitherOptions dither;
  SwitchOptions switching;
  // Of dither and of the coins of sign(0). Two optimizers of one seed draw the same noise at the same step for their
  // tensors of the same place: give each of several (a generator's and a discriminator's) a seed of its own.
  uint64_t seed = 0;
  // Steps of the whole run, which annealed dither and shares of the run refer to; 0: not known, allowed where nothing
  // refers to it.
  int64_t total_steps = 0;
};

// Every option with its name, range and unit; describe(list, options); list.set("dither", "relative").
void describe(OptionList& list, SignRunOptions& options);

// What the options mean together. Throws OptionError for options that do not go together and where total_steps is
// needed and 0.
UpdatePlan make_update_plan(const SignRunOptions& options);

// Fills what is auto. Throws what make_update_plan throws.
SignRunOptions resolved(SignRunOptions options);

// The first option in which two sets differ: "" or "momentum is 0.8, wanted 0.9". Learning rate and decay, which may
// change within a run, are not compared; a seed only where something is drawn, total_steps only where something refers
// to it.
std::string difference(SignRunOptions seen, SignRunOptions wanted);

}  // namespace signstep
