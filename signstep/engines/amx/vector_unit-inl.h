// SPDX-License-Identifier: Apache-2.0
// What the matrix unit does (matrix_unit-inl.h), done by the vector unit on the same operands.
#pragma once

#include "signstep/engines/amx/pair_sum.h"
#include "signstep/engines/amx/transpose-inl.h"
#include "signstep/engines/amx/vector_product-inl.h"

SIGNSTEP_AMX_BEGIN

namespace signstep::amx::fast {

// Products: how a pair of bf16 values is multiplied and added (vector_product-inl.h).
template <class Products>
struct VectorUnit {
  using Scope = EmptyScope;

  // A function of its own: within a larger one g++ keeps sums in memory.
  template <class Sums>
  [[gnu::noinline]] static void sum_terms(std::span<const Source> sources, int64_t group, int64_t pixel, int64_t block,
                                          int64_t first_row, float* to) {
    Sums sums;
    sums.zero();
    for (const Source& s : sources) {
      const Bf16* weights = s.weights + block * s.taps * s.in.blocks * kUnit;
      for (const Term& term : s.terms->of(pixel)) {
        const Bf16* a = s.in.unit(group, term.pixel, 0) + first_row * kSide;
        const Bf16* w = weights + term.tap * s.in.blocks * kUnit;
        for (int64_t k = 0; k < s.in.blocks; ++k, a += kUnit, w += kUnit) sums.add(a, w, pairs_of(s.summed, k));
      }
    }
    sums.store(to);
  }

  template <class P, class F>
  static void convolve_row(std::span<const Source> sources, int64_t group, int64_t row, int64_t width, int64_t block,
                           P&& prefetch, F&& finish) {
    alignas(64) float acc[kUnit] = {};  // columns that are padding stay 0
    const int64_t results = sources[0].results - block * kSide;
    for (int64_t pixel = row * width; pixel < (row + 1) * width; ++pixel) {
      prefetch(pixel);
      for_each_row_sums<Products>(kSide, results, [&](auto sums, int64_t first) {
        sum_terms<decltype(sums)>(sources, group, pixel, block, first, acc + first * kSide);
      });
      finish(pixel, acc);
    }
  }

  // Of 16 channels or fewer both tiles' columns that are not padding, side by side in the first.
  static void order_input(const Bf16* unit, Bf16* out, int64_t channels) {
    if (channels > 16) return interleave(unit, out);
    for (int64_t j = 0; j < 16; ++j) {
      const __m512i a = _mm512_load_si512(unit + j * kSide), b = _mm512_load_si512(unit + (j + 16) * kSide);
      const __m512i low = _mm512_unpacklo_epi16(a, b), high = _mm512_unpackhi_epi16(a, b);
      _mm512_store_si512(out + j * kSide, _mm512_inserti64x4(low, _mm512_castsi512_si256(high), 1));
    }
  }

  static void add_pairs(const PairSum& p, bool first_time, float* c) {
    for_each_row_sums<Products>(p.rows, p.columns, [&](auto sums, int64_t first) {
      constexpr bool kSplit = decltype(sums)::kOneHalf;
      float* to = c + first * kSide;
      if (first_time) {
        sums.zero();
      } else if constexpr (kSplit) {
        sums.load_split(to);
      } else {
        sums.load(to);
      }
      for (int64_t group = 0; group < p.groups; ++group)
        for (const Band::Pair& pair : p.pairs)
          sums.add(p.dy + group * p.dy_step + pair.output * kUnit + first * kSide,
                   p.x + group * p.x_step + pair.input * kUnit, 16);
      if constexpr (kSplit) {
        sums.store_split(to);
      } else {
        sums.store(to);
      }
    });
  }
};

}  // namespace signstep::amx::fast

SIGNSTEP_AMX_END
