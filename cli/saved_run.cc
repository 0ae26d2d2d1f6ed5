// SPDX-License-Identifier: Apache-2.0
#include "cli/saved_run.h"

#include <nlohmann/json.hpp>

#include "signstep/core/error.h"
#include "signstep/io/config.h"
#include "signstep/train/checkpoint.h"

namespace signstep::cli {

TrainOptions saved_options(const std::string& checkpoint) {
  TrainOptions options;
  OptionList list = option_list(options);
  try {
    from_json(checkpoint_config(checkpoint), list);
    return resolved(options);
  } catch (const OptionError& e) {
    throw CheckpointError(fmt::format(
        "{} has settings that this program does not know: {}; use the version that wrote it", checkpoint, e.what()));
  }
}

}  // namespace signstep::cli
