// SPDX-License-Identifier: Apache-2.0
// The engine for processors with bf16 matrix units (AMX): residual networks with batch norm (ResNet-18, the CIFAR
// ResNets), forward and backward written out.
// bf16 activations and operands, float32 sums, statistics, master weights and gradients. No LibTorch, no autograd. The
// same bits for any number of threads: tasks, and the order in which their sums are merged, depend on the batch alone.
#pragma once

#include <string>

#include "signstep/nn/engine_table.h"

namespace signstep {

struct AmxEngineOptions {
  int64_t threads = 0;     // 0: all that the process may use
  bool reference = false;  // the slow scalar kernels, which run on any processor
};

// Why the engine cannot compute this network here, as the end of "... because"; empty where it can.
std::string amx_engine_obstacle(const Network& network);

// Parameters start at 0; see initialize(). Memory: activations twice in bf16, some 350 MB at width 64 and batch 128, as
// much as the largest training batch needs; evaluation goes through it in pieces. Throws OptionError with
// amx_engine_obstacle.
std::unique_ptr<Engine> make_amx_engine(const Network& network, const AmxEngineOptions& options);

// For a table. reference: its scalar kernels, for tests on any processor.
EngineRecord amx_engine(bool reference = false);

}  // namespace signstep
