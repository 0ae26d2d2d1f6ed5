// SPDX-License-Identifier: Apache-2.0
#include "cli/data_folder.h"

#include "signstep/base/error.h"
#include "signstep/data/dataset.h"
#include "signstep/io/path.h"

namespace signstep::cli {

std::string data_folder_of(const TrainOptions& run) {
  if (run.data.empty() || is_folder(run.data)) return run.data;
  try {
    return count_dataset(run.dataset, "", run.labels, run.image_size).folder;
  } catch (const Error& e) {
    throw DataError(fmt::format("the run's images were in {}, which is gone; name their folder with --data ({})",
                                run.data, e.what()));
  }
}

}  // namespace signstep::cli
