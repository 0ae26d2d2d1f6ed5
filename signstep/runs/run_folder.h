// SPDX-License-Identifier: Apache-2.0
// What a run leaves behind:
//   config.toml     the resolved options; `signstep train --config` of it repeats the run
//   run.json        RunRecord: schema version, program, machine, engine, data checksum, seed, status
//   metrics.jsonl   one EpochRecord a line
//   log.txt         what the program said
//   checkpoints/step-NNNNNNNN.safetensors   the last two; each worker but the first has
//   step-NNNNNNNN.rank-R.safetensors
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "signstep/io/atomic_file.h"
#include "signstep/io/folder_lock.h"
#include "signstep/runs/epoch_record.h"
#include "signstep/runs/run_record.h"

namespace signstep {

// Throws OptionError where a new run would find the files of another in the folder; EnvironmentError where a file is.
void require_no_run(const std::string& path);

class RunFolder {
 public:
  // Creates the folder and locks it. Throws EnvironmentError when that fails or another process works in it;
  // OptionError, before anything is made, when a new run finds the files of another there.
  RunFolder(const std::string& path, bool resume);
  // The same folder at a rank other than 0 of a run, once rank 0 has made it: only its own checkpoints are written
  // there, every other write is rank 0's and does nothing here. Throws EnvironmentError where this rank does not see
  // it.
  static RunFolder at_rank(const std::string& path, size_t rank);

  const std::string& path() const { return path_; }
  std::string checkpoint(uint64_t step) const;  // this rank's

  // The only writers of these files; all but append replace them, atomically. Throw EnvironmentError.
  void write_config(const std::string& toml) const;
  void write_record(const RunRecord& record) const;
  void write_metrics(const std::vector<EpochRecord>& epochs) const;
  void append_metrics(const EpochRecord& epoch) const;

  // Removes all but the newest two, those of other ranks too.
  void prune_checkpoints() const;

 private:
  RunFolder(const std::string& path, size_t rank) : path_(path), rank_(rank) {}

  std::string path_;
  size_t rank_ = 0;
  std::optional<FolderLock> lock_;
};

// Where rank r keeps what belongs to rank 0's checkpoint: step-00000012.rank-1.safetensors beside
// step-00000012.safetensors.
std::string rank_checkpoint(const std::string& checkpoint, size_t rank);

// A run folder's checkpoints, newest first; empty where there are none. Needs no lock.
std::vector<std::string> list_checkpoints(const std::string& run_folder);

// Which file `eval` and others should read: a file as it is, a run folder's newest checkpoint. Throws
// CheckpointError where it has none, EnvironmentError for a name that is not there.
std::string find_checkpoint(const std::string& run_or_file);

}  // namespace signstep
