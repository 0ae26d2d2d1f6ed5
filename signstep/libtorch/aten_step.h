// SPDX-License-Identifier: Apache-2.0
// The passes of a step as tensor operations, for tensors that the kernels cannot take: other devices, double,
// bf16, half, strided storage. Slower, by about the number of operations.
//
// What holds against the kernels (tests/libtorch/aten_step_test.cc): float32 tensors on the CPU get the same bits of x
// and m, noise included (elements count in the order of their indices), and sums that differ by the order of additions.
// bf16 and half are computed in float32 too, and x is rounded once, at the end. double is computed in double, with the
// step's numbers (rate, betas, decay, sigma) as they are, not rounded to float. On other devices noise is another
// stream of the same law (aten_noise.h).
#pragma once

#include <ATen/core/Tensor.h>

#include "signstep/kernels/sgd_kernel.h"
#include "signstep/kernels/sign_kernel.h"

namespace signstep {

// x, g, m and maximum in one shape. m and maximum: double for double x, else float32; undefined where the rule keeps
// none.
struct AtenTensor {
  at::Tensor x, g, m;
  at::Tensor maximum = {};  // for dither maximum only
};

// The type that a tensor's m has and its step is computed in.
at::ScalarType compute_type(at::ScalarType type);

// index, sigma, sgd_rate and decay are read from numbers; its pointers are not. Each returns the StepStatistics as six
// doubles in the order of their fields on x's device, so that nothing waits for a device before all tensors are under
// way; statistics_of reads them. Call without autograd.
at::Tensor aten_sign_step(const AtenTensor& tensor, const StepTensor& numbers, const SignStep& step);
at::Tensor aten_sign_measure(const AtenTensor& tensor, const SignStep& step);
at::Tensor aten_sgd_phase_step(const AtenTensor& tensor, const StepTensor& numbers, const SgdPhaseStep& step);
StepStatistics statistics_of(const at::Tensor& six_doubles);

}  // namespace signstep
