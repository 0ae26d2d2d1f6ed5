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
  // foreign: by a tensor's index, whether it is the caller's. arrays: SIGNSTEP_M and SIGNSTEP_MAXIMUM, which take part.
  // rank: whose draws. All that is passed must outlive this.
  PassesStepper(Executor& executor, const std::vector<bool>& foreign, uint32_t arrays, uint32_t rank,
                signstep_passes passes, void* context)
      : KernelStepper(executor), foreign_(foreign), arrays_(arrays), rank_(rank), passes_(passes), context_(context) {}

  // Each throws CallbackError where the caller's function fails.
  void sign(std::span<const StepTensor> tensors, std::span<const SignStep> steps,
            std::span<StepStatistics> statistics) override;
  void measure(std::span<const StepTensor> tensors, const SignStep& step,
               std::span<StepStatistics> statistics) override;
  void sgd(std::span<const StepTensor> tensors, std::span<const SgdPhaseStep> steps,
           std::span<StepStatistics> statistics) override;

 private:
  // The kernels on the tensors that are here, then passes_ on the others, with pass(i) for each. All memory is there
  // before anything moves.
  template <class Kernels, class Pass>
  void both(std::span<const StepTensor> tensors, std::span<StepStatistics> statistics, Kernels&& kernels, Pass&& pass);

  const std::vector<bool>& foreign_;
  uint32_t arrays_;
  uint32_t rank_;
  signstep_passes passes_;
  void* context_;
};

}  // namespace signstep
