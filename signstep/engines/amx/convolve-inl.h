// SPDX-License-Identifier: Apache-2.0
// The products of a convolution, forward or backward to its input: 32 images x 32 result channels of a pixel at a time.
#pragma once

#include "signstep/engines/amx/amx_target.h"
#include "signstep/engines/amx/kernels.h"
#include "signstep/engines/amx/tile_product-inl.h"

SIGNSTEP_AMX_BEGIN

namespace signstep::amx::fast {

// Any convolution, one pixel.
inline void convolve_pixel(std::span<const Source> sources, int64_t group, int64_t pixel, int64_t block, float* acc) {
  zero_sums();
  for (const Source& s : sources) {
    const Bf16* weights = s.weights + block * s.taps * s.in.blocks * kUnit;
    for (const Term& term : s.terms->of(pixel)) {
      const Bf16* a = s.in.unit(group, term.pixel, 0);
      const Bf16* w = weights + term.tap * s.in.blocks * kUnit;
      for (int64_t k = 0; k < s.in.blocks; ++k, a += kUnit, w += kUnit) add_product(a, w);
    }
  }
  store_sums(acc);
}

inline constexpr int64_t kStrip = 4;  // pixels

// Four neighbours of a row under a 3x3 kernel at stride 1, 16 images x 16 channels at a time: three taps of a row stay
// in tiles, and each column of the input is loaded once for the pixels it touches. Nine loads for twelve products.
inline void convolve_strip(const Source& s, int64_t group, int64_t pixel, int64_t block, float* acc) {
  const int64_t width = s.terms->width(), y = pixel / width, x = pixel % width;
  const int64_t step = s.in.blocks * kUnit;  // from a pixel, or a tap, to the next
  const int64_t tap_step = s.terms->reversed() ? -step : step;
  const bool left = x > 0, right = x + kStrip < width;
  for (int64_t part = 0; part < 4; ++part) {
    const int64_t images = part / 2 * 16 * kSide, channels = part % 2;
    zero_sums();
    for (int64_t row = std::max<int64_t>(y - 1, 0); row < std::min(y + 2, s.terms->height()); ++row) {
      const int64_t first_tap = s.terms->reversed() ? 8 - 3 * (row - y + 1) : 3 * (row - y + 1);
      const Bf16* w = s.weights + (block * 9 + first_tap) * step + channels * 512;
      const Bf16* a = s.in.unit(group, row * width + x, 0) + images;
      for (int64_t k = 0; k < s.in.blocks; ++k, a += kUnit, w += kUnit) {
        _tile_loadd(4, w, 64);
        if (left) {
          _tile_loadd(7, a - step, 64);
          _tile_dpbf16ps(0, 7, 4);
        }
        _tile_loadd(5, w + tap_step, 64);
        _tile_loadd(7, a, 64);
        _tile_dpbf16ps(0, 7, 5);
        _tile_dpbf16ps(1, 7, 4);
        _tile_loadd(6, w + 2 * tap_step, 64);
        _tile_loadd(7, a + step, 64);
        _tile_dpbf16ps(0, 7, 6);
        _tile_dpbf16ps(1, 7, 5);
        _tile_dpbf16ps(2, 7, 4);
        _tile_loadd(7, a + 2 * step, 64);
        _tile_dpbf16ps(1, 7, 6);
        _tile_dpbf16ps(2, 7, 5);
        _tile_dpbf16ps(3, 7, 4);
        _tile_loadd(7, a + 3 * step, 64);
        _tile_dpbf16ps(2, 7, 6);
        _tile_dpbf16ps(3, 7, 5);
        if (right) {
          _tile_loadd(7, a + 4 * step, 64);
          _tile_dpbf16ps(3, 7, 6);
        }
      }
    }
    float* to = acc + images + channels * 16;
    _tile_stored(0, to, 128);
    _tile_stored(1, to + kUnit, 128);
    _tile_stored(2, to + 2 * kUnit, 128);
    _tile_stored(3, to + 3 * kUnit, 128);
  }
}

}  // namespace signstep::amx::fast

SIGNSTEP_AMX_END
