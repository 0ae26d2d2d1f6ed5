// SPDX-License-Identifier: Apache-2.0
#include "signstep/cuda/entries.h"

#include "signstep/base/error.h"

namespace signstep {
namespace {

bool aligned(const void* array) { return reinterpret_cast<uintptr_t>(array) % 16 == 0; }

DeviceTensor device_tensor(const DeviceArrays& a, const StepTensor& t, const float* m, const float* maximum) {
  if (t.n >= kMostElements)
    throw OptionError(fmt::format("tensor {} has {} elements; wanted fewer than 2^34; split it", t.index, t.n));
  return {a.x,
          a.g,
          t.n,
          a.x_type,
          a.g_type,
          a.stochastic,
          aligned(a.x) && aligned(a.g) && aligned(m) && aligned(maximum),
          Stream(a.seed, Purpose::kRounding, a.step, t.index)};
}

}  // namespace

SignEntry sign_entry(const DeviceArrays& arrays, const StepTensor& tensor, const SignStep& step) {
  const SignBlock block(tensor, step);
  return {device_tensor(arrays, tensor, block.m, block.maximum), block};
}

SgdEntry sgd_entry(const DeviceArrays& arrays, const StepTensor& tensor, const SgdPhaseStep& step) {
  const SgdBlock block(tensor, step);
  return {device_tensor(arrays, tensor, block.d, nullptr), block};
}

BaselineEntry baseline_entry(const BaselineTensor& t, const BaselineStep& step) {
  const DeviceArrays arrays{.x = t.x, .g = t.g};
  BaselineEntry entry{device_tensor(arrays, {.n = t.n}, t.m, t.v), t.m, t.v, {}};
  if (const auto* adam = std::get_if<AdamNumbers>(&step))
    entry.adam = *adam;
  else
    entry.ball = std::get<HeavyBall>(step);
  return entry;
}

}  // namespace signstep
