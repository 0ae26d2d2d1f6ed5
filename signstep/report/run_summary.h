// SPDX-License-Identifier: Apache-2.0
// What a run folder tells (docs/running.md lists the files), read without a lock: the run may be going on.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace signstep {

struct RunSummary {
  std::string folder;
  nlohmann::ordered_json record;               // run.json
  std::vector<nlohmann::ordered_json> epochs;  // metrics.jsonl, at least one
  std::map<std::string, std::string> config;   // config.toml

  // A number of an epoch's record; NaN where it is null or missing.
  double at(size_t epoch_index, const char* key) const;
  double last(const char* key) const { return at(epochs.size() - 1, key); }
  // A text of run.json, such as {"data", "sha256"}, printable (label.h); "-" where it is missing.
  std::string text(std::initializer_list<const char*> path) const;
  std::string status() const { return text({"status"}); }
  double steps_per_epoch() const;
};

// Whether there is a run to read, in whatever state.
bool holds_a_run(const std::string& folder);

// Throws OptionError for a folder that holds no run or a run without a finished epoch, DataError for a damaged file or
// files that contradict each other.
RunSummary read_run(const std::string& folder);

// run.json repeats the last epoch when a run ends, so that a file that was edited alone, or copied from elsewhere, is
// told. record: run.json; epoch: the last of metrics.jsonl. Throws DataError, naming the key in which they differ.
void require_agreement(const nlohmann::ordered_json& record, const nlohmann::ordered_json& epoch,
                       const std::string& folder);

// The rule as people call it: "Signum", "dithered SignSGD", "Signum-to-SGD switch", "dithered Signum-to-SGD switch".
std::string method_name(const RunSummary& run);

}  // namespace signstep
