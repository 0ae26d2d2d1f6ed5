// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace signstep {

// Throws DivergedError for NaN and infinity. step and epoch count from 1; rate is the step's.
void require_finite_loss(double loss, uint64_t step, uint64_t epoch, double rate, const std::string& run_folder);

}  // namespace signstep
