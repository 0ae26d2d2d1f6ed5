// SPDX-License-Identifier: Apache-2.0
#include "cli/engines.h"

#include <algorithm>

#include "signstep/engines/amx/amx_engine.h"
#ifdef SIGNSTEP_LIBTORCH
#include "signstep/engines/torch/torch_engine.h"
#endif

namespace signstep::cli {

const EngineTable& engines() {
  static const EngineTable table = {
      amx_engine(),
#ifdef SIGNSTEP_LIBTORCH
      torch_engine(),
#endif
  };
  return table;
}

EngineChoice engine_of_saved_run(const EngineOptions& options, const Network& network) {
  EngineOptions here = options;
  const bool possible = std::any_of(engines().begin(), engines().end(), [&](const EngineRecord& e) {
    return e.name == options.name && e.obstacle(options, network).empty();
  });
  if (!possible) here.name = "auto";
  return choose_engine(engines(), here, network);
}

}  // namespace signstep::cli
