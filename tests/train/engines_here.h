// SPDX-License-Identifier: Apache-2.0
// What trainer tests train with: LibTorch where the build has it, as the program does, else the small engine for tests.
#pragma once

#include "signstep/engines/amx/amx_engine.h"
#ifdef SIGNSTEP_LIBTORCH
#include "signstep/engines/torch/torch_engine.h"
#else
#include "tests/support/softmax_engine.h"
#endif

namespace signstep {

inline EngineTable engines_here() {
#ifdef SIGNSTEP_LIBTORCH
  return {amx_engine(), torch_engine()};
#else
  return {softmax_engine()};
#endif
}

}  // namespace signstep
