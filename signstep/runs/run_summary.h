// SPDX-License-Identifier: Apache-2.0
// What a run folder tells (docs/running.md lists the files).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "signstep/runs/epoch_record.h"
#include "signstep/runs/run_record.h"

namespace signstep {

struct RunSummary {
  std::string folder;
  RunRecord record;                           // run.json
  std::vector<EpochRecord> epochs;            // metrics.jsonl, at least one
  std::map<std::string, std::string> config;  // config.toml

  const EpochRecord& last() const { return epochs.back(); }
  double steps_per_epoch() const;
};

// Whether there is a run to read, in whatever state.
bool holds_a_run(const std::string& folder);

// Throws OptionError for a folder that holds no run or a run without a finished epoch, EnvironmentError for one that is
// not there, DataError for a damaged file or files that contradict each other.
RunSummary read_run(const std::string& folder);

// The rule as people call it: "Signum", "dithered SignSGD", "Signum-to-SGD switch", "dithered Signum-to-SGD switch".
std::string method_name(const RunSummary& run);

// What a record says, fit to be shown (io/label.h); "-" where it does not say.
std::string shown(const std::string& text);
std::string shown(uint64_t count);
std::string shown(const std::optional<uint64_t>& number);
// "a processor, 2 threads" and "signstep 0.1.0 (abc)".
std::string shown(const MachineRecord& machine);
std::string shown(const ProgramRecord& program);

}  // namespace signstep
