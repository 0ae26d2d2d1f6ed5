// SPDX-License-Identifier: Apache-2.0
// The engines that this program was built with.
#pragma once

#include "signstep/nn/engine_table.h"

namespace signstep::cli {

const EngineTable& engines();

}  // namespace signstep::cli
