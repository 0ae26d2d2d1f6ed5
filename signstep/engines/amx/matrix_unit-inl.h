// SPDX-License-Identifier: Apache-2.0
// What conv_fast.cc and weight_gradient_fast.cc ask of a unit that multiplies, answered by the matrix unit.
#pragma once

#include "signstep/engines/amx/convolve-inl.h"
#include "signstep/engines/amx/pair_sum.h"
#include "signstep/engines/amx/transpose-inl.h"

SIGNSTEP_AMX_BEGIN

namespace signstep::amx::fast {

struct MatrixUnit {
  using Scope = TileScope;  // for the lifetime of a task

  // For every pixel of a row: prefetch(pixel), and when its 32 x 32 sums are there, finish(pixel, sums).
  template <class P, class F>
  static void convolve_row(std::span<const Source> sources, int64_t group, int64_t row, int64_t width, int64_t block,
                           P&& prefetch, F&& finish) {
    alignas(64) float acc[kStrip * kUnit];
    const bool slides = sources.size() == 1 && sources[0].terms->slides();
    const int64_t first = row * width, last = first + width;
    int64_t pixel = first;
    for (; slides && pixel + kStrip <= last; pixel += kStrip) {
      for (int64_t i = 0; i < kStrip; ++i) prefetch(pixel + i);
      convolve_strip(sources[0], group, pixel, block, acc);
      for (int64_t i = 0; i < kStrip; ++i) finish(pixel + i, acc + i * kUnit);
    }
    for (; pixel < last; ++pixel) {
      prefetch(pixel);
      convolve_pixel(sources, group, pixel, block, acc);
      finish(pixel, acc);
    }
  }

  // A unit of x as the second operand of the weight gradient.
  static void order_input(const Bf16* unit, Bf16* out, int64_t) { interleave(unit, out); }

  // c = the sum where it is the first time, else c += it.
  static void add_pairs(const PairSum& p, bool first_time, float* c) {
    publish_to_tiles();
    first_time ? zero_sums() : load_sums(c);
    for (int64_t group = 0; group < p.groups; ++group)
      for (const Band::Pair& pair : p.pairs)
        add_product(p.dy + group * p.dy_step + pair.output * kUnit, p.x + group * p.x_step + pair.input * kUnit);
    store_sums(c);
  }
};

}  // namespace signstep::amx::fast

SIGNSTEP_AMX_END
