// SPDX-License-Identifier: Apache-2.0
#include "signstep/nn/engine_options.h"

namespace signstep {

void describe(OptionList& list, EngineOptions& o) {
  list.text("engine", o.name, "what computes gradients; auto: amx or avx512 where the CPU multiplies bf16")
      .open_as("auto")
      .role(Role::kCommon);
  list.choice("device", o.device, {"cpu", "cuda", "auto"},
              "of the torch engine; auto: cuda where LibTorch sees such a device")
      .open_as("auto");
  list.choice("precision", o.precision, {"fp32", "bf16", "auto"},
              "of convolutions; auto: bf16 where the CPU multiplies it in hardware")
      .open_as("auto");
  list.integer("threads", o.threads, Range::closed(0, 4096), "",
               "0: all cores that the process may use, or fewer where training times them as faster")
      .role(Role::kRepetition)
      .open_as("0")
      .role(Role::kCommon);
}

}  // namespace signstep
