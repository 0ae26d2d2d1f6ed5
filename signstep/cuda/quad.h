// SPDX-License-Identifier: Apache-2.0
// Four float32 in a row, what one thread takes at a time, so that a warp's loads and stores are whole lines; and what
// sign_element.h asks of them where it is known at compile time.
#pragma once

#include "signstep/cuda/eight.h"
#include "signstep/kernels/sign_element.h"

namespace signstep {

inline constexpr uint32_t kQuad = 4;

SIGNSTEP_HD inline uint32_t quad_of(uint64_t first, uint64_t end) {
  return first >= end ? 0 : end - first < kQuad ? static_cast<uint32_t>(end - first) : kQuad;
}

SIGNSTEP_HD inline void load_quad(const float* from, float* out) {
  const SixteenBytes all = *reinterpret_cast<const SixteenBytes*>(from);
  SIGNSTEP_UNROLL
  for (uint32_t j = 0; j < kQuad; ++j) out[j] = std::bit_cast<float>(all.word[j]);
}

SIGNSTEP_HD inline void store_quad(float* to, const float* in) {
  SixteenBytes all;
  SIGNSTEP_UNROLL
  for (uint32_t j = 0; j < kQuad; ++j) all.word[j] = std::bit_cast<uint32_t>(in[j]);
  *reinterpret_cast<SixteenBytes*>(to) = all;
}

// The arrays of a tensor: x, g, and m or d.
struct QuadArrays {
  float* x;
  const float* g;
  float* m;
  bool vectors;

  // Elements first .. first + count - 1, count <= 4; the rest of the four stays.
  template <bool kMomentum>
  SIGNSTEP_HD void load(uint64_t first, uint32_t count, float* x4, float* g4, float* m4) const {
    if (vectors && count == kQuad) {  // all under way before the first is waited for
      load_quad(g + first, g4);
      load_quad(x + first, x4);
      if (kMomentum) load_quad(m + first, m4);
      return;
    }
    for (uint32_t j = 0; j < count; ++j) {
      g4[j] = g[first + j];
      x4[j] = x[first + j];
      if (kMomentum) m4[j] = m[first + j];
    }
  }

  template <bool kMomentum>
  SIGNSTEP_HD void store(uint64_t first, uint32_t count, const float* x4, const float* m4) const {
    if (vectors && count == kQuad) {
      store_quad(x + first, x4);
      if (kMomentum) store_quad(m + first, m4);
      return;
    }
    for (uint32_t j = 0; j < count; ++j) {
      x[first + j] = x4[j];
      if (kMomentum) m[first + j] = m4[j];
    }
  }
};

// A SignBlock for sign_element.h. What is looked at once in thousands of elements stays in memory.
template <bool kMomentum, bool kDrawn>
struct QuadBlock {
  SIGNSTEP_HD explicit QuadBlock(const SignBlock& b)
      : b1(b.b1),
        a1(b.a1),
        b2(b.b2),
        a2(b.a2),
        lr(b.lr),
        decay_factor(b.decay_factor),
        sigma(b.sigma),
        zero(b.zero),
        coins(b.coins),
        rare(b) {}

  float b1, a1, b2, a2, lr, decay_factor, sigma;
  ZeroPolicy zero;
  const Stream& coins;
  const SignBlock& rare;

  struct Present {};  // asked no more than whether it is null
  static constexpr Present here{};
  static constexpr const Present* m = kMomentum ? &here : nullptr;
  static constexpr const float* maximum = nullptr;
  static constexpr Noise noise = kDrawn ? Noise::kBernoulli : Noise::kNone;
  static constexpr bool uniform = false, mean = false, sgd_along_gradient = false;
  static constexpr float sgd_rate = 0;
};

// One element's draw of a Gaussian dither. The filter takes u times 1 / sigma where that is a normal number, as
// kernels/dither-inl.h.
struct QuadDraw {
  const Stream& refinement;
  float inverse, margin;
  int16_t h;

  SIGNSTEP_HD float xi(size_t) const { return 0; }  // of other noise

  SIGNSTEP_HD bool is_plus(float u, float sigma, size_t i) const {
    const float decided = dither_filter(u * inverse, true) - static_cast<float>(h);
    bool plus = decided >= margin;
    if (!plus && !(decided <= -margin)) plus = dither_is_plus(u, sigma, h, refinement.word(i));
    return plus;
  }
};

}  // namespace signstep
