// SPDX-License-Identifier: Apache-2.0
// The rules name the kernels, and no target takes a step.
#include <cstdlib>

#include "signstep/kernels/majority_vote.h"
#include "signstep/kernels/reduce.h"
#include "signstep/kernels/sgd_kernel.h"
#include "signstep/kernels/sign_bits.h"
#include "signstep/kernels/sign_kernel.h"

namespace signstep {

void sign_step(std::span<const StepTensor>, std::span<const SignStep>, std::span<StepStatistics>, Executor&) {
  std::abort();
}
void sign_measure(std::span<const StepTensor>, const SignStep&, std::span<StepStatistics>, Executor&) { std::abort(); }
void sgd_phase_step(std::span<const StepTensor>, std::span<const SgdPhaseStep>, std::span<StepStatistics>, Executor&) {
  std::abort();
}
uint64_t pack_signs(std::span<const float>, ZeroPolicy, const Stream&, std::span<uint64_t>, Executor&) { std::abort(); }
void unpack_signs(std::span<const uint64_t>, std::span<float>, Executor&) { std::abort(); }
double dot(std::span<const float>, std::span<const float>, Executor&) { std::abort(); }
void apply_signs(std::span<const uint64_t>, double, double, std::span<float>, Executor&) { std::abort(); }
void majority_of(std::span<const uint64_t>, size_t, const VoteTies&, std::span<uint64_t>, Executor&) { std::abort(); }

}  // namespace signstep
