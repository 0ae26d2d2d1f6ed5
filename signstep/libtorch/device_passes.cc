// SPDX-License-Identifier: Apache-2.0
#include "signstep/libtorch/device_passes.h"

#include <optional>

#include "signstep/base/error.h"
#include "signstep/libtorch/cuda_stream.h"

namespace signstep {
namespace {

std::optional<ElementType> element_type(at::ScalarType type) {
  switch (type) {
    case at::kFloat: return ElementType::kFloat32;
    case at::kHalf: return ElementType::kFloat16;
    case at::kBFloat16: return ElementType::kBFloat16;
    default: return std::nullopt;
  }
}

}  // namespace

DevicePasses::~DevicePasses() = default;

bool DevicePasses::takes(const at::Tensor& p) {
  if (p.device().type() != type_ || (p.is_cuda() && !knows_cuda_streams())) return false;
  if (p.layout() != at::kStrided || !element_type(p.scalar_type()) || !p.is_non_overlapping_and_dense()) return false;
  return has_kernels(device_number(p));  // else tensor operations step it
}

void DevicePasses::add(uint32_t index, const at::Tensor& x, const at::Tensor& g, const at::Tensor& m,
                       const at::Tensor& maximum) {
  const int device = device_number(x);
  if (asked_.insert(device).second) refuse_capture(device, stream_of(device));
  const auto floats = [](const at::Tensor& t) { return t.defined() ? t.data_ptr<float>() : nullptr; };
  tensors_[index] = {.device = device,
                     .arrays = {.x = x.data_ptr(),
                                .g = g.data_ptr(),
                                .x_type = *element_type(x.scalar_type()),
                                .g_type = *element_type(g.scalar_type())},
                     .m = floats(m),
                     .maximum = floats(maximum),
                     .n = static_cast<size_t>(x.numel())};
}

void* DevicePasses::stream_of(int device) const { return type_ == at::kCUDA ? current_cuda_stream(device) : nullptr; }

// entry(arrays, tensor, i) is what the table of a device says of tensors[i], set(steps, entries) puts it there.
template <class Entry, class Set>
void DevicePasses::run(std::span<const StepTensor> tensors, std::span<StepStatistics> statistics, Entry&& entry,
                       Set&& set) {
  using Made = decltype(entry(DeviceArrays(), StepTensor(), size_t()));
  struct Launch {
    std::vector<Made> entries;
    std::vector<size_t> places;
  };
  std::map<int, Launch> launches;
  for (size_t i = 0; i < tensors.size(); ++i) {
    const auto at = tensors_.find(tensors[i].index);
    if (at == tensors_.end()) continue;
    const Added& added = at->second;
    StepTensor tensor = tensors[i];
    tensor.m = added.m;
    tensor.maximum = added.maximum;
    tensor.n = added.n;
    Launch& launch = launches[added.device];
    launch.entries.push_back(entry(added.arrays, tensor, i));
    launch.places.push_back(i);
  }
  for (const auto& [device, launch] : launches) {
    std::unique_ptr<DeviceSteps>& steps = steps_[device];
    if (!steps) steps = std::make_unique<DeviceSteps>(device);
    set(*steps, std::span(launch.entries));
    steps->launch(stream_of(device));
  }
  for (const auto& [device, launch] : launches) {  // when all are under way
    const std::span<const StepStatistics> seen = steps_[device]->read();
    for (size_t k = 0; k < seen.size(); ++k) statistics[launch.places[k]] = seen[k];
  }
}

void DevicePasses::sign(std::span<const StepTensor> tensors, std::span<const SignStep> steps,
                        std::span<StepStatistics> statistics) {
  run(
      tensors, statistics,
      [&](const DeviceArrays& arrays, const StepTensor& t, size_t i) { return sign_entry(arrays, t, steps[i]); },
      [](DeviceSteps& there, std::span<const SignEntry> entries) { there.set(entries, /*measure=*/false); });
}

void DevicePasses::measure(std::span<const StepTensor> tensors, const SignStep& step,
                           std::span<StepStatistics> statistics) {
  run(
      tensors, statistics,
      [&](const DeviceArrays& arrays, const StepTensor& t, size_t) { return sign_entry(arrays, t, step); },
      [](DeviceSteps& there, std::span<const SignEntry> entries) { there.set(entries, /*measure=*/true); });
}

void DevicePasses::sgd(std::span<const StepTensor> tensors, std::span<const SgdPhaseStep> steps,
                       std::span<StepStatistics> statistics) {
  run(
      tensors, statistics,
      [&](const DeviceArrays& arrays, const StepTensor& t, size_t i) { return sgd_entry(arrays, t, steps[i]); },
      [](DeviceSteps& there, std::span<const SgdEntry> entries) { there.set(entries); });
}

}  // namespace signstep
