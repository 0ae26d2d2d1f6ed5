// SPDX-License-Identifier: Apache-2.0
// The passes of a step by a device's kernels, on float32 arrays of its memory: one launch each, two where sums are
// wanted. The bits are those of KernelStepper and of the loops of optim/rules.
#pragma once

#include "signstep/cuda/device_steps.h"
#include "signstep/kernels/baseline_stepper.h"
#include "signstep/kernels/stepper.h"

namespace signstep {

class DeviceStepper final : public Stepper, public BaselineStepper {
 public:
  // stream: a cudaStream_t of the device, whose work the passes come after. Throws as DeviceSteps.
  DeviceStepper(int device, void* stream) : steps_(device), stream_(stream) {}

  // Each waits for its statistics. Throws as DeviceSteps, and OptionError for what does not fit the random counter.
  void sign(std::span<const StepTensor> tensors, std::span<const SignStep> steps,
            std::span<StepStatistics> statistics) override;
  void measure(std::span<const StepTensor> tensors, const SignStep& step,
               std::span<StepStatistics> statistics) override;
  void sgd(std::span<const StepTensor> tensors, std::span<const SgdPhaseStep> steps,
           std::span<StepStatistics> statistics) override;
  void baseline(std::span<const BaselineTensor> tensors, const BaselineStep& step,
                std::span<uint64_t> nonfinite) override;

 private:
  std::span<const StepStatistics> run();
  void run(std::span<StepStatistics> statistics);

  DeviceSteps steps_;
  void* stream_;
};

}  // namespace signstep
