// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "signstep/nn/network.h"
#include "signstep/optim/step_report.h"

namespace signstep {

// Both throw DivergedError for NaN and infinity. step and epoch count from 1; rate is the step's.
void require_finite_loss(double loss, uint64_t step, uint64_t epoch, double rate, const std::string& run_folder);
void require_finite_gradient(const StepReport& report, uint64_t step, const Network& network);

}  // namespace signstep
