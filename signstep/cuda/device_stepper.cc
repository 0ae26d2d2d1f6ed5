// SPDX-License-Identifier: Apache-2.0
#include "signstep/cuda/device_stepper.h"

#include <algorithm>

#include "signstep/cuda/entries.h"

namespace signstep {
namespace {

DeviceArrays arrays_of(const StepTensor& tensor) { return {.x = tensor.x, .g = tensor.g}; }

}  // namespace

std::span<const StepStatistics> DeviceStepper::run() {
  steps_.launch(stream_);
  return steps_.read();
}

void DeviceStepper::run(std::span<StepStatistics> statistics) {
  const std::span<const StepStatistics> seen = run();
  std::copy(seen.begin(), seen.end(), statistics.begin());
}

void DeviceStepper::sign(std::span<const StepTensor> tensors, std::span<const SignStep> steps,
                         std::span<StepStatistics> statistics) {
  std::vector<SignEntry> entries;
  for (size_t i = 0; i < tensors.size(); ++i)
    entries.push_back(sign_entry(arrays_of(tensors[i]), tensors[i], steps[i]));
  steps_.set(entries, false);
  run(statistics);
}

void DeviceStepper::measure(std::span<const StepTensor> tensors, const SignStep& step,
                            std::span<StepStatistics> statistics) {
  std::vector<SignEntry> entries;
  for (const StepTensor& tensor : tensors) entries.push_back(sign_entry(arrays_of(tensor), tensor, step));
  steps_.set(entries, true);
  run(statistics);
}

void DeviceStepper::sgd(std::span<const StepTensor> tensors, std::span<const SgdPhaseStep> steps,
                        std::span<StepStatistics> statistics) {
  std::vector<SgdEntry> entries;
  for (size_t i = 0; i < tensors.size(); ++i) entries.push_back(sgd_entry(arrays_of(tensors[i]), tensors[i], steps[i]));
  steps_.set(entries);
  run(statistics);
}

void DeviceStepper::baseline(std::span<const BaselineTensor> tensors, const BaselineStep& step,
                             std::span<uint64_t> nonfinite) {
  std::vector<BaselineEntry> entries;
  for (const BaselineTensor& tensor : tensors) entries.push_back(baseline_entry(tensor, step));
  const bool adam = std::holds_alternative<AdamNumbers>(step), momentum = !tensors.empty() && tensors[0].m != nullptr;
  steps_.set(entries, adam ? Baseline::kAdam : momentum ? Baseline::kHeavyBall : Baseline::kSgd);
  const std::span<const StepStatistics> seen = run();
  for (size_t i = 0; i < tensors.size(); ++i) nonfinite[i] = seen[i].nonfinite;
}

}  // namespace signstep
