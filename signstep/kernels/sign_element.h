// SPDX-License-Identifier: Apache-2.0
// The sign rule's step of one element, as the scalar reference and the CUDA kernels compile it. Draws says where random
// numbers come from: xi(i), a normal number, and is_plus(u, sigma, i), the draw of a dithered sign. Block is a
// SignBlock, or has its members, some of them constants.
#pragma once

#include "signstep/base/host_device.h"
#include "signstep/kernels/sign_block.h"
#include "signstep/kernels/zero_coins.h"
#include "signstep/random/normal.h"

namespace signstep {

struct SignElement {
  float x = 0, g = 0, m = 0, maximum = 0;
  float new_m = 0;     // g where there is no m
  float u = 0, s = 0;  // s: without the noise of DitherOn::kPost
};

template <class Block>
SIGNSTEP_HD inline float sign_without_dither(const Block& b, float u, size_t i) {
  // Without a jump but for what is rare: half of a warp's threads would wait for the other half.
  float s = u > 0 ? 1.0f : u < 0 ? -1.0f : 0.0f;
  if (u == 0 && b.zero != ZeroPolicy::kSkip)
    s = b.zero == ZeroPolicy::kPlus || (zero_coins(b.coins, i / 64) >> (i % 64) & 1) ? 1.0f : -1.0f;
  return s;
}

template <class Block, class Draws>
SIGNSTEP_HD inline float sign_of_update(const Block& b, const Draws& draws, float u, float sigma, size_t i) {
  if (sigma == 0 || (b.noise != Noise::kBernoulli && b.noise != Noise::kLaw)) return sign_without_dither(b, u, i);
  if (b.mean) return b.uniform ? uniform_mean(u, sigma) : static_cast<float>(gaussian_mean(u, sigma));
  return draws.is_plus(u, sigma, i) ? 1.0f : -1.0f;
}

// u and the new m. False for an element that takes no step.
template <class Block, class Draws>
SIGNSTEP_HD inline bool average_element(const Block& b, bool measure, const Draws& draws, size_t i, SignElement& e) {
  float noisy = e.g;
  if (b.noise == Noise::kGradient && !measure) noisy = e.g + b.sigma * draws.xi(i);
  e.u = e.new_m = e.g;
  if (b.m != nullptr) {
    e.u = b.b1 * e.m + b.a1 * noisy;
    e.new_m = b.b2 * e.m + b.a2 * noisy;
  }
  return is_finite(e.u) && is_finite(e.new_m);
}

// After it: s, and x, m and the maximum in their places.
template <class Block, class Draws>
SIGNSTEP_HD inline void step_element(const Block& b, const Draws& draws, size_t i, SignElement& e) {
  float sigma = b.sigma;
  if (b.maximum != nullptr) {
    const float size = e.u < 0 ? -e.u : e.u;
    if (e.maximum < size) e.maximum = size;
    sigma = b.sigma * e.maximum;
  }
  e.s = sign_of_update(b, draws, e.u, sigma, i);
  const float noisy_sign = b.noise == Noise::kPost ? e.s + b.sigma * draws.xi(i) : e.s;
  const float x = b.decay_factor * e.x - b.lr * noisy_sign;
  e.m = e.new_m;
  e.x = b.sgd_rate != 0 ? x - b.sgd_rate * (b.sgd_along_gradient ? e.g : e.m) : x;
}

}  // namespace signstep
