// SPDX-License-Identifier: Apache-2.0
// How much dither a step takes: the annealed level c_t, and per tensor the standard deviation sigma that it means.
// Noise itself is drawn by the kernels. s = sign(u + sigma xi), so for Gaussian xi P(s_i = +1) = Phi(u_i / sigma):
// where |u_i| << sigma the mean step is about sqrt(2 / pi) u_i / sigma, which gives the magnitude back that the sign
// threw away.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "signstep/optim/dither_options.h"

namespace signstep {

// Per tensor the rms of the noise-free u (of g for placement gradient) at the last step; 0: nothing stored. One lag
// keeps the update a single pass; an rms that held its own noise would grow without bound for c >= 1.
struct DitherState {
  std::vector<double> rms;  // one per tensor for dither relative, else empty
};

DitherState make_dither_state(const DitherOptions& options, size_t tensors);

// Whether a state that was read from somewhere is one of these options and as many tensors. Throws CheckpointError.
void require_fit(const DitherState& state, const DitherOptions& options, size_t tensors);

// c_t for t steps taken before this one, of total_steps in the run: with T = dither_until * total_steps and
// tau = min(1, t / T)
//   constant c_0;  linear c_0 + (c_T - c_0) tau;  cosine c_T + (c_0 - c_T) (1 + cos(pi tau)) / 2
//   exponential c_0 (c_T / c_0)^tau;  inverse-sqrt c_0 / sqrt(1 + ((c_0 / c_T)^2 - 1) tau)
// Exactly c_0 at t = 0 and c_T from T on. 0 without dither. options must be resolved.
double dither_level(const DitherOptions& options, uint64_t t, uint64_t total_steps);

// Root of the mean of finite squares; 0 when no coordinate was finite.
double rms_of(double sum_of_squares, uint64_t finite_count);

// Whether the caller must measure the tensor's rms before this step, in a pass of its own: nothing is stored, as at the
// first step and after a step whose u was all zero.
bool must_measure(const DitherOptions& options, double level, double stored_rms);

// sigma of one tensor's step: level for absolute, maximum (which the kernels multiply by) and placement post, level *
// rms for relative, where rms is the stored one or, when must_measure said so, the one just measured. An all-zero
// tensor (rms 0) takes no dither.
double sigma_for(const DitherOptions& options, double level, double rms);

}  // namespace signstep
