// SPDX-License-Identifier: Apache-2.0
#include "signstep/train/engine_choice.h"

#include "signstep/base/cpu.h"
#include "signstep/base/error.h"
#include "signstep/engines/amx/amx_engine.h"

namespace signstep {
namespace {

// Why the amx engine cannot do it, or "".
std::string amx_obstacle(const EngineOptions& o, const NetworkOptions& network) {
  if (o.torch.device != Device::kCpu) return "device is not cpu";
  if (o.torch.precision == Precision::kFp32) return "precision is fp32, and the matrix units multiply bf16";
  // No data set has more than three channels; classes do not matter.
  return amx_engine_obstacle(resnet18_shape(network, 3, 10));
}

}  // namespace

EngineChoice choose_engine(EngineOptions o, const NetworkOptions& network) {
  EngineChoice choice;
  if (o.kind != EngineKind::kTorch) {
    const std::string obstacle = amx_obstacle(o, network);
    if (!obstacle.empty() && o.kind == EngineKind::kAmx) {
      throw OptionError(fmt::format("engine is amx, and {}; use --engine torch", obstacle));
    }
    choice.reason = obstacle;
    o.kind = obstacle.empty() ? EngineKind::kAmx : EngineKind::kTorch;
  }
  o.torch.precision = o.kind == EngineKind::kAmx ? Precision::kBf16 : resolved_precision(o.torch, network.width);
  if (o.torch.threads == 0) o.torch.threads = cpu_features().threads;
  choice.options = o;
  return choice;
}

std::unique_ptr<Engine> make_engine(const EngineOptions& o, const NetworkShape& shape) {
  if (o.kind == EngineKind::kAmx) return make_amx_engine(shape, {.threads = o.torch.threads});
  return make_torch_engine(shape, o.torch);
}

}  // namespace signstep
