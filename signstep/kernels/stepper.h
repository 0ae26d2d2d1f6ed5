// SPDX-License-Identifier: Apache-2.0
// Who computes the passes of a step: the CPU's fused kernels here, a device's (cuda/device_stepper.h), tensor
// operations, several ranks together.
#pragma once

#include <span>

#include "signstep/kernels/sgd_kernel.h"
#include "signstep/kernels/sign_kernel.h"
#include "signstep/parallel/executor.h"

namespace signstep {

// Each pass has one step per tensor; the meaning is that of the kernels of the same name. The arrays of the tensors lie
// where the stepper works, which need not be the host's memory.
class Stepper {
 public:
  virtual ~Stepper() = default;
  virtual void sign(std::span<const StepTensor> tensors, std::span<const SignStep> steps,
                    std::span<StepStatistics> statistics) = 0;
  virtual void measure(std::span<const StepTensor> tensors, const SignStep& step,
                       std::span<StepStatistics> statistics) = 0;
  virtual void sgd(std::span<const StepTensor> tensors, std::span<const SgdPhaseStep> steps,
                   std::span<StepStatistics> statistics) = 0;
};

// The fused kernels.
class KernelStepper : public Stepper {
 public:
  explicit KernelStepper(Executor& executor) : executor_(executor) {}
  void sign(std::span<const StepTensor> tensors, std::span<const SignStep> steps,
            std::span<StepStatistics> statistics) override {
    sign_step(tensors, steps, statistics, executor_);
  }
  void measure(std::span<const StepTensor> tensors, const SignStep& step,
               std::span<StepStatistics> statistics) override {
    sign_measure(tensors, step, statistics, executor_);
  }
  void sgd(std::span<const StepTensor> tensors, std::span<const SgdPhaseStep> steps,
           std::span<StepStatistics> statistics) override {
    sgd_phase_step(tensors, steps, statistics, executor_);
  }

 private:
  Executor& executor_;
};

}  // namespace signstep
