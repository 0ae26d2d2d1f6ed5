// SPDX-License-Identifier: Apache-2.0
#include <filesystem>

#include "signstep/base/error.h"
#include "signstep/export/event_file.h"
#include "signstep/export/formats/formats.h"
#include "signstep/io/atomic_file.h"

namespace signstep {
namespace {

// path is a folder of logs, which is what TensorBoard wants to be given. The file's name depends on the run alone: who
// exports again gets no second curve.
std::vector<std::string> write(const RunFiles& run, const std::string& path, bool replace) {
  const std::string file =
      (std::filesystem::path(path) / fmt::format("events.out.tfevents.{:.0f}.signstep", seconds_of(run.record.started)))
          .string();
  require_free({file}, replace);
  make_folders(path);
  write_file_atomic(file, event_log(run, /*restart=*/false));
  return {file};
}

}  // namespace

ExportFormat tensorboard_format() {
  return {.name = "tensorboard",
          .help = "an event file in a folder, for tensorboard --logdir",
          .file = "tensorboard",
          .course = write};
}

}  // namespace signstep
