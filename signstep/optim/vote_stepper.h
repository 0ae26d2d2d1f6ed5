// SPDX-License-Identifier: Apache-2.0
// The sign pass of a step that several ranks take together: each finds the signs of its own u and moves its own m, the
// ranks vote, and all apply the majority to the same x.
#pragma once

#include "signstep/optim/sign_optimizer.h"
#include "signstep/wire/communicator.h"

namespace signstep {

// As KernelStepper but for sign(): s is the majority's and every coordinate steps. One whose u or m is NaN or infinite
// keeps its m, votes by coin, and is counted: nonfinite is the sum over the ranks, the other statistics are this
// rank's. Steps must have zero random and no products, dither on update or gradient; rank is set here. A tie's coin is
// of the step's seed and number. sgd() is never called, there being no switch. Scratch: 4 bytes a coordinate and the
// vote's. Throws what Communicator throws; m has moved then, and the run is lost.
class VoteStepper final : public KernelStepper {
 public:
  VoteStepper(Executor& executor, Communicator& world) : KernelStepper(executor), executor_(executor), world_(world) {}
  void sign(std::span<const StepTensor> tensors, std::span<const SignStep> steps,
            std::span<StepStatistics> statistics) override;
  void measure(std::span<const StepTensor> tensors, const SignStep& step,
               std::span<StepStatistics> statistics) override;

 private:
  Executor& executor_;
  Communicator& world_;
};

}  // namespace signstep
