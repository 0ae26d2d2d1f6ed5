// SPDX-License-Identifier: Apache-2.0
// The passes of a step that several ranks take together. While they vote, each finds the signs of its own u and moves
// its own m, and all apply the majority to the same x. Later all step along the mean gradient.
#pragma once

#include "signstep/optim/sign_optimizer.h"
#include "signstep/optim/worker_options.h"
#include "signstep/wire/communicator.h"

namespace signstep {

// KernelStepper whose dither and zero coins are those of that rank.
class RankStepper : public KernelStepper {
 public:
  RankStepper(Executor& executor, uint32_t rank) : KernelStepper(executor), rank_(rank) {}
  void sign(std::span<const StepTensor> tensors, std::span<const SignStep> steps,
            std::span<StepStatistics> statistics) override;
  void measure(std::span<const StepTensor> tensors, const SignStep& step,
               std::span<StepStatistics> statistics) override;

 private:
  uint32_t rank_;
};

// s is the majority's and every coordinate steps. One whose u or m is NaN or infinite keeps its m, votes by coin, and
// is counted. Of the statistics u_dot_u is this rank's, the others are the same at all ranks: nonfinite the sum over
// them, finite n less that, and with products nonzero n, s_dot_v with the voted s and the rank mean of v (exact but for
// rounding), v_dot_v of that mean, estimated (mean_squares.h); where some v is NaN or infinite they are too. Steps must
// have zero random and an sgd_rate of 0, dither on update or gradient. Scratch: 4 bytes a coordinate and the vote's.
// Throws what Communicator throws; m has moved then, and the run is lost.
class VoteStepper final : public RankStepper {
 public:
  VoteStepper(Executor& executor, Communicator& world, const WorkerOptions& options)
      : RankStepper(executor, static_cast<uint32_t>(world.rank())),
        executor_(executor),
        world_(world),
        options_(options) {}
  void sign(std::span<const StepTensor> tensors, std::span<const SignStep> steps,
            std::span<StepStatistics> statistics) override;

 private:
  void add_products(std::span<const StepTensor> tensors, const SignStep& step, std::span<const float> signs,
                    std::span<const size_t> first, std::span<StepStatistics> statistics);

  Executor& executor_;
  Communicator& world_;
  const WorkerOptions options_;
};

}  // namespace signstep
