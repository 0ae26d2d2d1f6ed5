// SPDX-License-Identifier: Apache-2.0
// One step of the SGD phase on a list of tensors (docs/algorithms.md), momentum in moving-average form:
//
//   h  = g + l2 x                    h = g where l2 is 0
//   d' = mu d + (1 - mu) h           d is the tensor's m; with mu = 0 it may be null and d' = h
//   x' = k x - sgd_rate d'        k: the decay factor, 1 for a tensor without decay
//
// One pass: 12 bytes per element without d, 20 with it. The blended transition is sign_kernel.h with sgd_rate > 0.
#pragma once

#include <span>

#include "signstep/kernels/step.h"
#include "signstep/parallel/executor.h"

namespace signstep {

struct SgdPhaseStep {
  double mu = 0;            // [0, 1)
  double decay_factor = 1;  // what decoupled decay leaves, (0, 1]
  double l2 = 0;            // >= 0, for tensors with decay
  bool products = false;    // v_dot_v; the other sums stay 0
  ProductsWith products_with = ProductsWith::kGradient;
};

// Non-finite coordinates, executors, bits and scratch as sign_step; u is d'. Does not throw.
void sgd_phase_step(std::span<const StepTensor> tensors, const SgdPhaseStep& step, std::span<StepStatistics> statistics,
                    Executor& executor);
// The same with steps[i] for tensors[i], in one go.
void sgd_phase_step(std::span<const StepTensor> tensors, std::span<const SgdPhaseStep> steps,
                    std::span<StepStatistics> statistics, Executor& executor);
void sgd_phase_step_ref(std::span<const StepTensor> tensors, const SgdPhaseStep& step,
                        std::span<StepStatistics> statistics);

}  // namespace signstep
