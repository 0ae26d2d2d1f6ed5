// SPDX-License-Identifier: Apache-2.0
// The engines that this program was built with.
#pragma once

#include "signstep/nn/engine_table.h"

namespace signstep::cli {

const EngineTable& engines();

// The engine of a saved run where it can be had here, else any: another gives the same figures but for rounding.
EngineChoice engine_of_saved_run(const EngineOptions& options, const Network& network);

}  // namespace signstep::cli
