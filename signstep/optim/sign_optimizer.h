// SPDX-License-Identifier: Apache-2.0
// One step of a sign rule's run: dithered sign step, calibrated switch and SGD phase together, on any list of tensors.
// The trainer's optimizer and the torch::optim adapter both call this.
#pragma once

#include <cstdint>
#include <span>

#include "signstep/core/executor.h"
#include "signstep/core/step.h"
#include "signstep/optim/dither.h"
#include "signstep/optim/switch.h"
#include "signstep/optim/update_plan.h"

namespace signstep {

// All that a checkpoint must hold besides the tensors and the number of steps taken.
struct SignState {
  DitherState dither;
  SwitchState switching;
};
SignState make_sign_state(const UpdatePlan& plan, size_t tensors);

// Whether a sign rule needs an m at all: SignSGD without a switch keeps 0 bytes.
bool keeps_average(const UpdatePlan& plan);

struct StepReport {
  uint64_t nonfinite = 0;       // coordinates left alone
  double dither_level = 0;      // c_t
  SwitchPhase phase = SwitchPhase::kSign;  // that this step was taken in
  SwitchReport switching;
};

// Step number t (0 for the first) at rate lr with decoupled decay. x, g, m, n and decay of each tensor are the caller's;
// index, sigma and sgd_rate are set here: tensors[i] draws as tensor i. m may be null where keeps_average says no.
StepReport sign_optimizer_step(const UpdatePlan& plan, SignState& state, uint64_t t, std::span<StepTensor> tensors, double lr,
                               double decay, Executor& executor);

}  // namespace signstep
