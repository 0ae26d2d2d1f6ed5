// SPDX-License-Identifier: Apache-2.0
// One step of a sign rule's run: dithered sign step, calibrated switch and SGD phase together, on any list of tensors.
// The trainer's optimizer and the torch::optim adapter both call this.
#pragma once

#include <cstdint>
#include <span>

#include "signstep/kernels/stepper.h"
#include "signstep/optim/dither.h"
#include "signstep/optim/rules/sign.h"
#include "signstep/optim/step_report.h"
#include "signstep/optim/switch.h"

namespace signstep {

// All that a checkpoint must hold besides the tensors and the number of steps taken.
struct SignState {
  DitherState dither;
  SwitchState switching;
};
SignState make_sign_state(const UpdatePlan& plan, size_t tensors);

// Whether any step of the run needs an m (SignSGD without a switch keeps 0 bytes), and whether the next one does.
bool needs_average(const UpdatePlan& plan);
bool moves_average(const UpdatePlan& plan, const SignState& state);

// What parameter groups may differ in.
struct TensorRate {
  double lr = 0;     // lr_t >= 0; a tensor at rate 0 gives no estimate to the switch
  double decay = 0;  // decoupled
};

// Step number t (0 for the first), tensors[i] at rates[i]. x, g, m, maximum, n and decay of each tensor are the
// caller's; index, sigma and sgd_rate are set here: tensors[i] draws as tensor i. m may be null where moves_average
// says no. A tensor of n = 0 sits the step out and keeps its rms. The report quotes gamma and SGD's rate at the largest
// lr of the tensors. Throws OptionError, before anything is touched, for a rate or decay that is negative, not finite
// or too large (decay_factor).
StepReport sign_optimizer_step(const UpdatePlan& plan, SignState& state, uint64_t t, std::span<StepTensor> tensors,
                               std::span<const TensorRate> rates, Stepper& stepper);

}  // namespace signstep
