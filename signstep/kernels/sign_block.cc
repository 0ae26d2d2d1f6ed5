// SPDX-License-Identifier: Apache-2.0
#include "signstep/kernels/sign_block.h"

#include "signstep/base/error.h"

namespace signstep {

SignBlock::SignBlock(const StepTensor& t, const SignStep& s)
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

}  // namespace signstep
