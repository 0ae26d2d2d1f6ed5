// SPDX-License-Identifier: Apache-2.0
#include "signstep/cuda/device_stepper.h"

#include <algorithm>

#include "signstep/cuda/entries.h"

namespace signstep {
namespace {

DeviceArrays arrays_of(const StepTensor& tensor) { return {.x = tensor.x, .g = tensor.g}; }

}  // namespace

void DeviceStepper::run(std::span<StepStatistics> statistics) {
  steps_.launch(stream_);
  const std::span<const StepStatistics> seen = steps_.read();
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

}  // namespace signstep
