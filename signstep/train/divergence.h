// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "signstep/nn/network.h"
#include "signstep/optim/step_report.h"

namespace signstep {

// The finite ones throw DivergedError for NaN and infinity. step and epoch count from 1; rate is the step's.
void require_finite_loss(double loss, uint64_t step, uint64_t epoch, double rate, const std::string& run_folder);
// Throws DivergedError when the mean loss of an epoch, in nats, exceeds ln(classes), which guessing has, and `most`
// times the lesser of that and the first epoch's. most: 0 accepts all.
void require_bounded_loss(double loss, double first, uint64_t classes, double most, uint64_t epoch);
void require_finite_gradient(const StepReport& report, uint64_t step, const Network& network);

}  // namespace signstep
