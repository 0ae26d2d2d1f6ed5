// SPDX-License-Identifier: Apache-2.0
// Every run below a folder as a row of a table, whatever state it is in.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "signstep/runs/epoch_record.h"

namespace signstep {

struct RunRow {
  std::string folder;
  std::string method;               // "dithered Signum-to-SGD switch"
  std::string dataset, network;     // "cifar10", "ResNet-18, width 16"
  double learning_rate = kNotSaid;  // the peak
  std::string dither, switching;    // "relative", "at 0.6"; "" for none
  std::optional<uint64_t> seed;
  std::optional<uint64_t> epochs, wanted_epochs;                    // finished, and those that the run is to have
  double validation_accuracy = kNotSaid, test_accuracy = kNotSaid;  // percent, after the last finished epoch
  std::string status;   // of run.json; "interrupted" where it says running and nobody works on it; "damaged"
  std::string started;  // UTC, "2026-01-02T03:04:05Z"
  std::string problem;  // what is damaged, a sentence; "" for none
};

// The folders of runs in and below that one, in the order of their names. Links to folders are not followed. Throws
// EnvironmentError for a folder that is not there or cannot be read.
std::vector<std::string> find_runs(const std::string& folder);

// Reads config.toml, run.json and metrics.jsonl, and takes no lock. What is damaged is said, not thrown.
RunRow read_row(const std::string& run_folder);

}  // namespace signstep
