// SPDX-License-Identifier: Apache-2.0
// Which engine computes gradients, decided in one place: for training, evaluation and benchmarks alike.
#pragma once

#include <memory>
#include <string>

#include "signstep/engines/torch/torch_engine.h"
#include "signstep/nn/engine.h"

namespace signstep {

enum class EngineKind { kAuto, kTorch, kAmx };

struct EngineOptions {
  EngineKind kind = EngineKind::kAuto;
  TorchEngineOptions torch;  // device, precision and threads; the amx engine takes cpu and bf16
};

void describe(OptionList& list, EngineOptions& options);

struct EngineChoice {
  EngineOptions options;  // no auto left
  std::string reason;     // why auto took the LibTorch engine, "" where nothing was passed over
};

// auto: the amx engine where the processor, the network and the asked precision and device allow it, else LibTorch.
// Throws OptionError where what was asked for cannot be had here.
EngineChoice choose_engine(EngineOptions options, const NetworkOptions& network);

// options as choose_engine left them.
std::unique_ptr<Engine> make_engine(const EngineOptions& options, const NetworkShape& shape);

}  // namespace signstep
