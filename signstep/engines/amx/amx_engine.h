// SPDX-License-Identifier: Apache-2.0
// Two engines of one make, for processors with bf16 matrix units (amx) and for those with AVX-512 alone (avx512),
// whether it has bf16 or not: residual networks with batch norm (ResNet-18, the CIFAR ResNets), forward and backward
// written out. bf16 activations and operands, float32 sums, statistics, master weights and gradients. No LibTorch, no
// autograd. The same bits for any number of threads: tasks, and the order in which their sums are merged, depend on the
// batch alone. The two add in another order, so their bits differ.
#pragma once

#include <string>

#include "signstep/nn/engine_table.h"

namespace signstep {

enum class ProductUnit {
  kMatrix,     // AMX
  kVector,     // AVX-512
  kReference,  // the slow scalar kernels, which run on any processor
};

struct AmxEngineOptions {
  int64_t threads = 0;  // 0: all that the process may use
  ProductUnit unit = ProductUnit::kMatrix;
};

// Why the engine cannot compute this network here, as the end of "... because"; empty where it can.
std::string amx_engine_obstacle(const Network& network, ProductUnit unit = ProductUnit::kMatrix);

// Parameters start at 0; see initialize(). Memory: activations twice in bf16, some 350 MB at width 64 and batch 128, as
// much as the largest batch needs; evaluation goes through it in pieces of 128 images. Throws OptionError with
// amx_engine_obstacle.
std::unique_ptr<Engine> make_amx_engine(const Network& network, const AmxEngineOptions& options);

// For a table: --engine amx, --engine avx512. The reference has amx's name, for tests on any processor.
EngineRecord amx_engine(ProductUnit unit = ProductUnit::kMatrix);
inline EngineRecord avx512_engine() { return amx_engine(ProductUnit::kVector); }

}  // namespace signstep
