// SPDX-License-Identifier: Apache-2.0
// run.json and metrics.jsonl of a run folder, read without a lock: the run may be going on.
#pragma once

#include <string>
#include <vector>

#include "signstep/runs/epoch_record.h"
#include "signstep/runs/run_record.h"

namespace signstep {

std::string config_path(const std::string& run_folder);   // config.toml
std::string record_path(const std::string& run_folder);   // run.json
std::string metrics_path(const std::string& run_folder);  // metrics.jsonl

// Throws DataError for a file that is no JSON object, and where it says neither status nor the images' checksum.
RunRecord read_run_record(const std::string& run_folder);

class RunFiles {
 public:
  // run.json is there; without a metrics.jsonl there are no epochs. Throws DataError for a damaged file. Fields of
  // another type are what a file does not say.
  explicit RunFiles(const std::string& run_folder);

  RunRecord record;
  std::vector<EpochRecord> epochs;

  // run.json repeats the last epoch when a run ends, so that a file that was edited alone, or copied from elsewhere, is
  // told. Throws DataError, naming the key in which they differ; there is an epoch.
  void require_agreement() const;

  // A number of the last epoch; there is one. kNotSaid where it is null or absent; throws DataError for another type.
  double last(double EpochRecord::*figure) const;
  // The same of a percentage that must be there.
  double last_percent(double EpochRecord::*figure) const;

 private:
  std::string folder_;
  nlohmann::ordered_json record_, last_line_;
};

}  // namespace signstep
