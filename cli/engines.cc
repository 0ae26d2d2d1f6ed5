// SPDX-License-Identifier: Apache-2.0
#include "cli/engines.h"

#include "signstep/engines/amx/amx_engine.h"
#ifdef SIGNSTEP_LIBTORCH
#include "signstep/engines/torch/torch_engine.h"
#endif

namespace signstep::cli {

const EngineTable& engines() {
  static const EngineTable table = {
      amx_engine(),
      avx512_engine(),
#ifdef SIGNSTEP_LIBTORCH
      torch_engine(),
#endif
  };
  return table;
}

}  // namespace signstep::cli
