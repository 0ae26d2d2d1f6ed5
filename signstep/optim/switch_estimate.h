// SPDX-License-Identifier: Apache-2.0
// One step's estimate of the SGD rate that matches a sign step, and the average of such estimates. After SWATS (Keskar,
// Socher 2017, arXiv 1712.07628, section 3), adapted to steps p = -lr s with s in {-1, 0, +1}.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "signstep/kernels/step.h"
#include "signstep/optim/switch_options.h"

namespace signstep {

// What one tensor's sign step s and direction v have in common comes from the kernels as StepStatistics: nonzero is
// nnz(s), so p.p = lr^2 nnz; s_dot_v is s.v, so -p.v = lr s.v; v_dot_v is |v|^2; finite + nonfinite is the tensor's
// size. v is the gradient g, or the unrounded momentum average after the step (Signum's and Lion's m, SignSGD's tracked
// d).

// Field by field, in order: the sums of the concatenated tensors.
StepStatistics total_of(std::span<const StepStatistics> tensors);

// r = gamma / lr, in which the step size cancels:
//   swats (p.p)/(-p.v) / lr = nnz / s.v;  inner (-p.v)/(v.v) / lr = s.v / |v|^2;  norm |p|/|v| / lr = sqrt(nnz) / |v|,
// the geometric mean of the other two. nullopt where there is none: s.v < 0 (swats, inner) unless negative says to take
// |s.v|, s.v = 0 or a step or direction of length 0, a result that is not finite and positive.
std::optional<double> rate_ratio(SwitchProjection projection, const StepStatistics& sums,
                                 SwitchNegative negative = SwitchNegative::kSkip);

// One step of lambda_k = rho lambda_{k-1} + (1 - rho) r, and Lambda_k = lambda_k / (1 - rho^k) with k estimates made;
// 0 for k = 0. The average is over r, not gamma, so a schedule's decay of lr never enters it.
double averaged(double rho, double lambda, double ratio);
double bias_corrected(double rho, double lambda, uint64_t estimates);

// A Lambda that SGD may run at: finite and positive, in float too, which is what the kernels compute in.
bool usable_rate(double rate);

}  // namespace signstep
