// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "signstep/train/train_options.h"

namespace signstep::cli {

// The options that a checkpoint's run was started with, resolved. Throws CheckpointError.
TrainOptions saved_options(const std::string& checkpoint);

}  // namespace signstep::cli
