// SPDX-License-Identifier: Apache-2.0
#include "cli/saved_run.h"

#include "signstep/train/checkpoint.h"

namespace signstep::cli {

SavedRun saved_run(const std::string& checkpoint) {
  const RunIdentity run = Checkpoint(checkpoint).identity();
  return {recorded_options(run.options, checkpoint), run.data_sha256};
}

TrainOptions saved_options(const std::string& checkpoint) { return saved_run(checkpoint).options; }

}  // namespace signstep::cli
