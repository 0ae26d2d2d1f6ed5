// SPDX-License-Identifier: Apache-2.0
// Training speed beside PyTorch's, both sides in turn in one run.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "signstep/base/option.h"
#include "signstep/options/train_options.h"

namespace signstep {

struct BenchTrainOptions {
  NetworkOptions network;
  int64_t batch = 128;
  int64_t rounds = 9;
  int64_t steps = 3;  // per side and round
  EngineOptions engine;
  std::string python = "/usr/bin/python3";
  std::string script;  // bench/pytorch_resnet.py
};

void describe(OptionList& list, BenchTrainOptions& options);

struct BenchTrainResult {
  std::vector<double> ours, theirs;     // images per second, one a round
  double our_loss = 0, their_loss = 0;  // at the same weights and batch, before timing
  std::string engine, pytorch;
  double ratio() const;  // median over rounds of ours / theirs
};

// Both sides train the same network (10 classes, 3 x 32 x 32 random images) from the same weights, ours with Signum,
// theirs with SGD and momentum. Throws EnvironmentError when the losses differ by more than 2 %.
BenchTrainResult bench_train(const BenchTrainOptions& options, const std::function<void(const std::string&)>& say);

}  // namespace signstep
