// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "signstep/options/train_options.h"

namespace signstep::cli {

struct SavedRun {
  TrainOptions options;     // that the checkpoint's run was started with, resolved
  std::string data_sha256;  // of its images; "" where the checkpoint does not say
};

// Throws CheckpointError.
SavedRun saved_run(const std::string& checkpoint);
TrainOptions saved_options(const std::string& checkpoint);

}  // namespace signstep::cli
