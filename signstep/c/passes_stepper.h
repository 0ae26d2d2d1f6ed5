// SPDX-License-Identifier: Apache-2.0
// The kernels for the caller's arrays, the caller's own passes for the tensors that have none.
#pragma once

#include <span>
#include <vector>

#include "signstep/c/signstep.h"
#include "signstep/optim/sign_optimizer.h"

namespace signstep {

class PassesStepper final : public KernelStepper {
 public:
  // foreign: by a tensor's index, whether it is the caller's. rank: whose draws. All that is passed must outlive this.
  PassesStepper(Executor& executor, const std::vector<bool>& foreign, bool keeps_m, uint32_t rank,
                signstep_passes passes, void* context)
      : KernelStepper(executor),
        foreign_(foreign),
        keeps_m_(keeps_m),
        rank_(rank),
        passes_(passes),
        context_(context) {}

  // Each throws CallbackError where the caller's function fails.
  void sign(std::span<const StepTensor> tensors, std::span<const SignStep> steps,
            std::span<StepStatistics> statistics) override;
  void measure(std::span<const StepTensor> tensors, const SignStep& step,
               std::span<StepStatistics> statistics) override;
  void sgd(std::span<const StepTensor> tensors, std::span<const SgdPhaseStep> steps,
           std::span<StepStatistics> statistics) override;

 private:
  template <class Pass>
  void call(std::span<const StepTensor> tensors, std::span<StepStatistics> statistics, Pass&& pass);

  const std::vector<bool>& foreign_;
  bool keeps_m_;
  uint32_t rank_;
  signstep_passes passes_;
  void* context_;
};

}  // namespace signstep
