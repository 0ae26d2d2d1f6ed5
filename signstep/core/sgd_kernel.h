// SPDX-License-Identifier: Apache-2.0
// One step of the SGD phase on a list of tensors (docs/algorithms.md), momentum in moving-average form:
//
//   d' = mu d + (1 - mu) g           d is the tensor's m; with mu = 0 it may be null and d' = g
//   x' = keep x - sgd_rate d'        keep is 1 for a tensor without decay
//
// One pass: 12 bytes per element without d, 20 with it. The blended transition is sign_kernel.h with sgd_rate > 0.
#pragma once

#include <span>

#include "signstep/core/executor.h"
#include "signstep/core/step.h"

namespace signstep {

struct SgdStep {
  double mu = 0;          // [0, 1)
  double keep = 1;        // 1 - lr_t * wd, (0, 1]
  bool products = false;  // v_dot_v; the other sums stay 0
  ProductsWith products_with = ProductsWith::kGradient;
};

// Non-finite coordinates, executors, bits and scratch as sign_step; u is d'. Does not throw.
void sgd_step(std::span<const StepTensor> tensors, const SgdStep& step, std::span<StepStatistics> statistics,
              Executor& executor);
// The same with steps[i] for tensors[i], in one go.
void sgd_step(std::span<const StepTensor> tensors, std::span<const SgdStep> steps, std::span<StepStatistics> statistics,
              Executor& executor);
void sgd_step_ref(std::span<const StepTensor> tensors, const SgdStep& step, std::span<StepStatistics> statistics);

}  // namespace signstep
