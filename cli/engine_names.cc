// SPDX-License-Identifier: Apache-2.0
// The table of the program that only names LibTorch's engine: what computes goes on as signstep-torch.
#include <stdexcept>

#include "cli/engines.h"
#include "signstep/engines/amx/amx_engine.h"

namespace signstep::cli {
namespace {

[[noreturn]] void not_here() { throw std::logic_error("the torch engine was asked for where it is only named"); }

}  // namespace

const EngineTable& engines() {
  static const EngineTable table = {
      amx_engine(),
      avx512_engine(),
      {.name = "torch",
       .about = [] { return std::string("LibTorch " SIGNSTEP_LIBTORCH_VERSION); },
       .obstacle = [](const EngineOptions&, const Network&) { return std::string(); },
       .precision = [](const EngineOptions&, const Network&) -> Precision { not_here(); },
       .make = [](const EngineOptions&, const Network&) -> std::unique_ptr<Engine> { not_here(); }},
  };
  return table;
}

}  // namespace signstep::cli
