// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "signstep/options/train_options.h"

namespace signstep::cli {

// Where a recorded run's images are now: in the folder that it recorded or, when that is gone, where they are looked
// for when nobody names one. Throws DataError, naming the recorded folder, when they are not there either.
std::string data_folder_of(const TrainOptions& run);

}  // namespace signstep::cli
