// SPDX-License-Identifier: Apache-2.0
// Internal to the sign kernel: one tensor's step with everything resolved, shared by the vector code and the reference.
#pragma once

#include <limits>

#include "signstep/base/error.h"
#include "signstep/kernels/dither_draw.h"
#include "signstep/kernels/lane_sums.h"
#include "signstep/kernels/sign_kernel.h"
#include "signstep/kernels/zero_coins.h"
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
  SignBlock(const StepTensor& t, const SignStep& s)
      : x(t.x),
        g(t.g),
        b1(static_cast<float>(s.b1)),
        a1(1.0f - b1),
        b2(static_cast<float>(s.b2)),
        a2(1.0f - b2),
        m(b1 == 0 && b2 == 0 ? nullptr : t.m),
        lr(static_cast<float>(s.lr)),
        decay_factor(t.decay ? static_cast<float>(s.decay_factor) : 1.0f),
        sgd_rate(static_cast<float>(t.sgd_rate)),
        sigma(static_cast<float>(t.sigma)),
        maximum(t.maximum),
        zero(s.zero),
        sums(s.sums),
        uniform(s.noise == DitherNoise::kUniform),
        mean(s.dither_on == DitherOn::kMean),
        v_is_momentum(s.products_with == ProductsWith::kMomentum),
        sgd_along_gradient(s.sgd_along == SgdAlong::kGradient),
        square_of_gradient(s.dither_on == DitherOn::kGradient),
        draws(s.seed, Purpose::kDither, s.step, t.index, s.rank),
        refinement(s.seed, Purpose::kRefinement, s.step, t.index, s.rank),
        gaussian(s.seed, Purpose::kGaussian, s.step, t.index, s.rank),
        coins(s.seed, Purpose::kZeroCoin, s.step, t.index, s.rank) {
    if (t.n >= kMostElements) {
      throw OptionError(fmt::format("tensor {} has {} elements; wanted fewer than 2^34; split it", t.index, t.n));
    }
    // Without a moving average, noise on the gradient is noise on the update.
    if (sigma == 0)
      noise = Noise::kNone;
    else if (s.dither_on == DitherOn::kPost)
      noise = Noise::kPost;
    else if (s.dither_on == DitherOn::kGradient && m != nullptr)
      noise = Noise::kGradient;
    else
      noise = uniform || mean || maximum != nullptr ? Noise::kLaw : Noise::kBernoulli;
  }

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
