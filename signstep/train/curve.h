// SPDX-License-Identifier: Apache-2.0
// What a step reports, as the run folder keeps it.
#pragma once

#include "signstep/optim/sign_optimizer.h"
#include "signstep/runs/epoch_record.h"

namespace signstep {

// step: counted from 1.
void append_point(StepCurve& curve, uint64_t step, double learning_rate, const StepReport& report);

RunEvent event_record(const SwitchEvent& event);

const char* phase_name(SwitchPhase phase);

}  // namespace signstep
