// SPDX-License-Identifier: Apache-2.0
#include "bench/amx_peak.h"

#include "signstep/engines/amx/amx_target.h"
#include "signstep/engines/amx/tiles.h"

SIGNSTEP_AMX_BEGIN

namespace signstep {

void multiply_in_registers(int64_t products) {
  const amx::TileScope tiles;
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  _tile_zero(4);
  _tile_zero(5);
  _tile_zero(6);
  _tile_zero(7);
  for (int64_t i = 0; i < products / 4; ++i) {
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
  }
}

// Sums that do not wait for one another. No lambda and no constructor: they would not be compiled for AVX-512.
template <class Step>
inline void in_registers(int64_t products) {
  constexpr int kSums = 24;
  __m512 sums[kSums];
#pragma GCC unroll 24
  for (__m512& sum : sums) {
    sum = _mm512_setzero_ps();
    asm volatile("" : "+v"(sum));  // else they are all one sum
  }
  for (int64_t i = 0; i < products / kSums; ++i) {
#pragma GCC unroll 24
    for (__m512& sum : sums) Step::add(sum);
  }
#pragma GCC unroll 24
  for (__m512& sum : sums) asm volatile("" : : "v"(sum));
}

struct DotProduct {
  static void add(__m512& sum) {
    const auto one = reinterpret_cast<__m512bh>(_mm512_set1_epi32(0x3f803f80));
    sum = _mm512_dpbf16_ps(sum, one, one);
  }
};
void dot_products_in_registers(int64_t products) { in_registers<DotProduct>(products); }

struct MultiplyAdd {
  static void add(__m512& sum) { sum = _mm512_fmadd_ps(_mm512_set1_ps(1), _mm512_set1_ps(1), sum); }
};
void multiply_adds_in_registers(int64_t products) { in_registers<MultiplyAdd>(products); }

}  // namespace signstep

SIGNSTEP_AMX_END
