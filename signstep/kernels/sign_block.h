// SPDX-License-Identifier: Apache-2.0
// Internal to the sign kernel: one tensor's step with everything resolved, shared by the vector code, the reference and
// the CUDA kernels.
#pragma once

#include "signstep/kernels/dither_draw.h"
#include "signstep/kernels/lane_sums.h"
#include "signstep/kernels/sign_kernel.h"
#include "signstep/random/random.h"

namespace signstep {

// What decides the sign.
enum class Noise : uint8_t {
  kNone,
  kBernoulli,  // Gaussian on the update, one sigma: drawn by dither_draw.h
  kLaw,        // the rest of it: uniform, a scale for each coordinate, or the mean in the place of the draw
  kGradient,   // Gaussian, added to g
  kPost,       // Gaussian, added to the sign
};

struct SignBlock {
  SignBlock(const StepTensor& t, const SignStep& s);  // throws OptionError for what does not fit the random counter

  float* x;
  const float* g;
  float b1, a1, b2, a2;
  float* m;  // null: u = m' = g
  float lr, decay_factor, sgd_rate, sigma;
  float* maximum;  // null: sigma is the scale of all
  ZeroPolicy zero;
  StepSums sums;
  bool uniform, mean, v_is_momentum, sgd_along_gradient, square_of_gradient;
  Noise noise;
  Stream draws, refinement, gaussian, coins;
};

// The sums of one block while it is being walked.
struct SignSums {
  LaneSums s_dot_v, v_dot_v, u_dot_u;
  uint64_t nonzero = 0, nonfinite = 0;

  void add_to(StepStatistics& partial, size_t elements) const {
    partial.finite += elements - nonfinite;
    partial.nonfinite += nonfinite;
    partial.nonzero += nonzero;
    partial.s_dot_v += s_dot_v.total();
    partial.v_dot_v += v_dot_v.total();
    partial.u_dot_u += u_dot_u.total();
  }
};

// Elements [begin, end) of one block, one after the other: the specification, and the tail of the vector code.
// measure: count and square only, as sign_measure does.
void sign_elements_ref(const SignBlock& b, bool measure, size_t begin, size_t end, SignSums& sums);

// Elements [begin, end) as blocks in index order; begin is a multiple of kBlockElements.
void sign_range_ref(const SignBlock& b, bool measure, size_t begin, size_t end, StepStatistics& partial);

}  // namespace signstep
