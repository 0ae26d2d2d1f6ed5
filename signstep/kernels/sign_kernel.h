// SPDX-License-Identifier: Apache-2.0
// One step of the sign rule on a list of tensors (docs/algorithms.md; Bernstein et al. 2018, arXiv 1802.04434;
// Lion: Chen et al. 2023, arXiv 2302.06675), in one pass: SignSGD reads and writes 12 bytes per element, with m 20.
//
//   u  = b1 m + (1 - b1) g         g + sigma xi in place of g for DitherOn::kGradient
//   m' = b2 m + (1 - b2) g
//   G' = max(G, |u|)               the tensor's maximum, where it has one; the dither's scale is then sigma G'
//   s  = sign(u), dithered by sigma as DitherOn and DitherNoise say
//   x' = k x - lr s - sgd_rate m'    k: the decay factor, 1 for a tensor without decay; g in place of m' where
//                                    sgd_along says so
//
// SignSGD: b1 = b2 = 0, m may be null. Signum: b1 = b2. Lion: b1 != b2. The last term is the blended transition to SGD:
// lr = alpha lr_t, sgd_rate = (1 - alpha) rate, b2 = mu. float32 throughout: numbers are rounded to float first, 1 - b
// is formed in float.
#pragma once

#include <cstdint>
#include <span>

#include "signstep/kernels/step.h"
#include "signstep/parallel/executor.h"

namespace signstep {

struct SignStep {
  double b1 = 0, b2 = 0;    // [0, 1)
  double lr = 0;            // >= 0
  double decay_factor = 1;  // what decoupled decay leaves, (0, 1]
  ZeroPolicy zero = ZeroPolicy::kSkip;
  DitherOn dither_on = DitherOn::kUpdate;
  DitherNoise noise = DitherNoise::kGaussian;
  StepSums sums = StepSums::kNone;
  ProductsWith products_with = ProductsWith::kGradient;
  SgdAlong sgd_along = SgdAlong::kAverage;
  uint64_t seed = 0;
  uint64_t step = 0;  // [0, 2^48)
  uint32_t rank = 0;  // [0, 2^16)
};

// Steps every tensor and sets statistics[i] for tensors[i] (what step.sums leaves out is 0). Same bits as
// sign_step_ref for any executor and SIMD target. Throws OptionError, before anything is touched, when a tensor's size
// or index, the step or the rank does not fit the random counter. Scratch: 64 bytes per 2^18 elements and tensor.
void sign_step(std::span<const StepTensor> tensors, const SignStep& step, std::span<StepStatistics> statistics,
               Executor& executor);
void sign_step_ref(std::span<const StepTensor> tensors, const SignStep& step, std::span<StepStatistics> statistics);
// The same with steps[i] for tensors[i], in one go: parameter groups of different rates.
void sign_step(std::span<const StepTensor> tensors, std::span<const SignStep> steps,
               std::span<StepStatistics> statistics, Executor& executor);

// The finite, nonfinite and u_dot_u that sign_step would report, without touching x or m: relative dither measures
// before its first step.
void sign_measure(std::span<const StepTensor> tensors, const SignStep& step, std::span<StepStatistics> statistics,
                  Executor& executor);
void sign_measure_ref(std::span<const StepTensor> tensors, const SignStep& step, std::span<StepStatistics> statistics);

// The SIMD target that the kernels choose on this processor: "AVX3", "AVX2", ...
const char* simd_target();

}  // namespace signstep
