// SPDX-License-Identifier: Apache-2.0
// Apart from engine_choice.cc, so that who only reads settings links no engine.
#include "signstep/train/engine_choice.h"

namespace signstep {

void describe(OptionList& list, EngineOptions& o) {
  list.choice("engine", o.kind, {"auto", "torch", "amx"},
              "what computes gradients; auto: amx where the CPU has bf16 matrix units");
  list.choice("device", o.torch.device, {"cpu", "cuda"}, "of the torch engine");
  list.choice("precision", o.torch.precision, {"fp32", "bf16", "auto"},
              "of convolutions; auto: bf16 where the CPU multiplies it in hardware");
  list.integer("threads", o.torch.threads, Range::closed(0, 4096), "",
               "0: all cores that the process may use, or fewer where training times them as faster");
}

}  // namespace signstep
