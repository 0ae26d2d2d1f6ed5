// SPDX-License-Identifier: Apache-2.0
// The engine that computes gradients with LibTorch's autograd. No LibTorch type in this header.
#pragma once

#include <string>

#include "signstep/nn/engine_table.h"

namespace signstep {

// Parameters start at 0; see initialize(). apart: on a CPU too the engine's arrays and the host's are apart, as on a
// GPU, for tests. Throws what resolved_precision throws.
std::unique_ptr<Engine> make_torch_engine(const Network& network, const EngineOptions& options, bool apart = false);

// What auto stands for here. Throws OptionError for a device that the linked LibTorch does not see, and for bf16 on a
// CPU at a width that is no multiple of 16: oneDNN 2.6's bf16 convolutions write past their buffers at some such widths
// and batch sizes; auto takes fp32 there.
Precision resolved_precision(const EngineOptions& options, int64_t width);

bool libtorch_has_cuda();

// For a table.
EngineRecord torch_engine(bool apart = false);

}  // namespace signstep
