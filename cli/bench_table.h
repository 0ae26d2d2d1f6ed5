// SPDX-License-Identifier: Apache-2.0
// What this machine does of the work that signstep is made of, each figure beside what bounds it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "signstep/base/option.h"
#include "signstep/options/train_options.h"

namespace signstep::cli {

struct BenchTableOptions {
  NetworkOptions network = {.width = 16};
  int64_t batch = 128;
  int64_t rounds = 9;
  EngineOptions engine;
  bool json = false;
};

void describe(OptionList& list, BenchTableOptions& options);

struct BenchRow {
  std::string what;        // "step Signum"
  double speed = 0;        // median over the rounds
  std::string unit;        // "GB/s" of memory read and written, or "images/s"
  std::string limit;       // what it is measured against; "" of a limit itself
  double limit_speed = 0;  // in the same unit
  double share = 0;        // median over the rounds of speed / limit_speed
};

struct BenchTable {
  std::vector<BenchRow> rows;
  std::string note;  // why there is no training, "" where there is
};

// Copying and reading memory, a step of each rule on as many numbers as ResNet-18 has, packing and unpacking signs, the
// vote of 8, and training. Each is checked before it is timed: signs and votes against their scalar references, steps
// by the same bits on one thread as on all. In each round everything runs in turn with its limit. say: a line of
// progress. Throws EnvironmentError where a check fails; then nothing was timed.
BenchTable bench_table(const BenchTableOptions& options, const std::function<void(const std::string&)>& say);

}  // namespace signstep::cli
