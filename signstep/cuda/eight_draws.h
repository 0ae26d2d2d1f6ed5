// SPDX-License-Identifier: Apache-2.0
// The random numbers of eight elements, each Philox group of them drawn once.
#pragma once

#include "signstep/cuda/eight.h"
#include "signstep/kernels/sign_element.h"
#include "signstep/random/normal_element.h"

namespace signstep {

// One element's, for sign_element.h. Its sign is decided by the filter of dither_draw.h where that can: there it is
// what the definition gives, whether the filter's operations are fused or not.
struct FilteredDraw {
  const SignBlock& b;
  int16_t h;
  uint32_t radius, angle;

  SIGNSTEP_HD float xi(size_t i) const { return normal_of(normal_pair_of(radius, angle), i); }

  SIGNSTEP_HD bool is_plus(float u, float sigma, size_t i) const {
    const float z = u / sigma;
    const float filter = b.uniform ? 0x1p15f * uniform_mean(u, sigma) : dither_filter(z, true);
    const float decided = filter - static_cast<float>(h), margin = b.uniform ? kUniformMargin : kFilterMargin;
    if (decided >= margin) return true;
    if (decided <= -margin) return false;
    const uint32_t w = b.refinement.word(i);
    return b.uniform ? uniform_is_plus(u, sigma, h, w) : dither_is_plus(u, sigma, h, w);
  }
};

class EightDraws {
 public:
  // Of elements first .. first + 7; first is a multiple of 8.
  SIGNSTEP_HD EightDraws(const SignBlock& block, uint64_t first) : b_(block) {
    if (b_.noise == Noise::kBernoulli || (b_.noise == Noise::kLaw && !b_.mean)) {
      keep(b_.draws.group(static_cast<uint32_t>(first / 8)), words_);
    } else if (b_.noise == Noise::kGradient || b_.noise == Noise::kPost) {
      const auto radius = static_cast<uint32_t>((first / 32 * 32 + first % 16) / 4), angle = radius + 4;
      keep(b_.gaussian.group(radius), words_);
      keep(b_.gaussian.group(radius + 1), words_ + 4);
      keep(b_.gaussian.group(angle), words_ + 8);
      keep(b_.gaussian.group(angle + 1), words_ + 12);
    }
  }

  // Element first + j's.
  SIGNSTEP_HD FilteredDraw operator[](uint32_t j) const {
    return {b_, static_cast<int16_t>(words_[j / 2] >> (j % 2 * 16)), words_[j], words_[8 + j]};
  }

 private:
  static SIGNSTEP_HD void keep(const PhiloxCounter& group, uint32_t* words) {
    for (uint32_t k = 0; k < 4; ++k) words[k] = group[k];
  }

  const SignBlock& b_;
  uint32_t words_[16] = {};  // dither: the first four; else eight of the radii, eight of the angles
};

}  // namespace signstep
