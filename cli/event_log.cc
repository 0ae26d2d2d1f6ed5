// SPDX-License-Identifier: Apache-2.0
#include "cli/event_log.h"

#include <chrono>
#include <filesystem>
#include <fstream>

#include "signstep/base/error.h"
#include "signstep/export/event_file.h"
#include "signstep/io/atomic_file.h"
#include "signstep/io/path.h"

namespace signstep::cli {

void EventLog::started(const std::string& run_folder, const RunRecord& run) {
  run_folder_ = run_folder;
  run_started_ = seconds_of(run.started);
  next_.started(run_folder, run);
}

void EventLog::epoch(const EpochRecord& record) {
  next_.epoch(record);
  if (file_.empty()) {
    begin();
  } else {
    append(record);
  }
  previous_ = record;
}

// The epoch that has just ended is in the run's files already.
void EventLog::begin() {
  const std::string folder = run_folder_ + "/tensorboard", name = "events.out.tfevents.", ours = ".signstep";
  make_folders(folder);
  const std::vector<std::string> before = names_in(folder);
  // Nanoseconds: TensorBoard reads the files of a folder in the order of their names.
  const auto now = std::chrono::system_clock::now().time_since_epoch() / std::chrono::nanoseconds(1);
  file_ = fmt::format("{}/{}{}{}", folder, name, now, ours);
  write_file_atomic(file_, event_log(RunFiles(run_folder_), /*restart=*/true));
  for (const std::string& old : before) {
    std::error_code ignored;  // what stays is void, and shown by no TensorBoard
    if (old.starts_with(name) && old.ends_with(ours)) std::filesystem::remove(folder + "/" + old, ignored);
  }
}

void EventLog::append(const EpochRecord& record) const {
  std::ofstream file(file_, std::ios::app | std::ios::binary);
  file << event_records(record, previous_, run_started_) << std::flush;
  if (!file) throw_errno("append to", file_, "check the folder's permissions and the free space");
}

}  // namespace signstep::cli
