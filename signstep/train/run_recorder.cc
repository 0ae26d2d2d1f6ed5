// SPDX-License-Identifier: Apache-2.0
#include "signstep/train/run_recorder.h"

#include <fmt/chrono.h>

#include "signstep/base/error.h"
#include "signstep/io/config.h"
#include "signstep/io/path.h"
#include "signstep/runs/run_files.h"

namespace signstep {
namespace {

std::string now() { return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr))); }

// What holds for the run whoever continues it: paths and such are the session's.
nlohmann::ordered_json settings(TrainOptions options) {
  const OptionList list = option_list(options);
  nlohmann::ordered_json kept = to_json(list);
  for (const Option& option : list.options())
    if (option.is(Role::kResumable)) kept.erase(option.name);
  return kept;
}

}  // namespace

RunRecorder::RunRecorder(const TrainOptions& options, const RunIdentity& run, const Dataset& data, const Engine& engine,
                         const Split& split) {
  record_.started = now();
  record_.program = this_program();
  record_.machine = this_machine();
  record_.engine = engine.description();
  record_.data = {.dataset = data.spec->name,
                  .folder = data.folder,
                  .sha256 = run.data_sha256,
                  .official = data.official(),
                  .train_images = split.train.size(),
                  .validation_images = split.validation.size(),
                  .test_images = data.test.count()};
  record_.network = {.name = engine.network().display_name,
                     .width = static_cast<uint64_t>(options.network.width),
                     .parameters = engine.network().parameter_count()};
  record_.optimizer = options.optimizer.rule().display;
  record_.seed = options.seed;
  record_.options = settings(options);
  session_ = first_session(record_);
}

void RunRecorder::continues(const std::string& run_folder, const RunIdentity& run) {
  const std::string path = record_path(run_folder);
  if (!path_exists(path)) return;
  RunRecord before;
  try {
    before = read_run_record(run_folder);
  } catch (const DataError&) {
    return;
  }
  if (before.started.empty()) return;
  const RunIdentity recorded{.options = before.options.is_null() ? record_.options : before.options,
                             .data_sha256 = before.data.sha256};
  require_same_identity(recorded, run, path);
  was_finished_ = before.status == RunRecord::kFinished;
  record_.started = before.started;
  record_.program = before.program;
  record_.machine = before.machine;
  record_.sessions = sessions_of(before);
}

const RunRecord& RunRecorder::start(uint64_t step) {
  session_.step = step;
  record_.sessions.push_back(session_);
  return record_;
}

const RunRecord& RunRecorder::finish(const std::string& status, const std::vector<EpochRecord>& epochs) {
  record_.status = status;
  record_.ended = now();
  if (!epochs.empty()) record_.last_epoch = epochs.back();
  return record_;
}

}  // namespace signstep
