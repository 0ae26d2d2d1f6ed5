// SPDX-License-Identifier: Apache-2.0
// What lies between SIGNSTEP_AMX_BEGIN and SIGNSTEP_AMX_END is compiled for AVX-512 and bf16 tiles, whatever the rest
// of the program is compiled for, and runs only where amx_kernels() found both, or avx512_kernels() AVX-512: then
// instructions on bf16 are those alone that it asked for. Nothing is included between the two: of
// an inline function the linker keeps one copy for the whole program, and it must run on every processor.
#pragma once

#include <immintrin.h>

#include <atomic>
#include <cstdint>

#include "signstep/engines/amx/tiles.h"

#define SIGNSTEP_PRAGMA_TEXT(...) _Pragma(#__VA_ARGS__)
#define SIGNSTEP_PRAGMA(...) SIGNSTEP_PRAGMA_TEXT(__VA_ARGS__)
#define SIGNSTEP_AMX_FEATURES "avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,amx-tile,amx-bf16,fma,bmi2"
#if defined(__clang__)
#define SIGNSTEP_AMX_BEGIN \
  SIGNSTEP_PRAGMA(clang attribute push(__attribute__((target(SIGNSTEP_AMX_FEATURES))), apply_to = function))
#define SIGNSTEP_AMX_END SIGNSTEP_PRAGMA(clang attribute pop)
#else
#define SIGNSTEP_AMX_BEGIN SIGNSTEP_PRAGMA(GCC push_options) SIGNSTEP_PRAGMA(GCC target(SIGNSTEP_AMX_FEATURES))
#define SIGNSTEP_AMX_END SIGNSTEP_PRAGMA(GCC pop_options)
#endif

SIGNSTEP_AMX_BEGIN

namespace signstep::amx {

struct alignas(64) TileConfig {
  uint8_t palette = 1, start_row = 0, reserved[14] = {};
  uint16_t bytes_per_row[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};
inline constexpr TileConfig kEightTiles;

// Eight tiles of 16 rows of 64 bytes for the lifetime of a task. The instruction is written out because g++ 12's
// intrinsic does not tell the compiler that it reads the whole structure.
class TileScope {
 public:
  TileScope() { asm volatile("ldtilecfg %0" : : "m"(kEightTiles)); }
  ~TileScope() { asm volatile("tilerelease" : :); }
  TileScope(const TileScope&) = delete;
  TileScope& operator=(const TileScope&) = delete;
};

// g++ 12's tile loads do not say that they read memory: whoever wrote it with ordinary stores puts this in between.
inline void publish_to_tiles() { asm volatile("" : : : "memory"); }

inline __m512 widen_row(const Bf16* p) {
  return _mm512_castsi512_ps(
      _mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_load_si256(reinterpret_cast<const __m256i*>(p))), 16));
}

// Whether the processor converts to bf16 by itself. Whoever hands out kernels sets it.
extern std::atomic<bool> converts_to_bf16;

inline __m512i words(uint32_t bits) { return _mm512_set1_epi32(static_cast<int>(bits)); }

// As VCVTNE2PS2BF16 has it (Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2), whatever the
// thread has set: to nearest, ties to even, what is denormal to 0, a NaN quiet, signs kept.
inline __m256i narrowed(__m512 x) {
  const __m512i bits = _mm512_castps_si512(x), magnitude = _mm512_and_si512(bits, words(0x7fffffff));
  const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), words(1));
  __m512i wide = _mm512_add_epi32(bits, _mm512_add_epi32(odd, words(0x7fff)));
  wide = _mm512_mask_and_epi32(wide, _mm512_cmplt_epu32_mask(magnitude, words(0x00800000)), bits, words(0x80000000));
  wide = _mm512_mask_or_epi32(wide, _mm512_cmpgt_epu32_mask(magnitude, words(0x7f800000)), bits, words(0x00400000));
  return _mm512_cvtepi32_epi16(_mm512_srli_epi32(wide, 16));
}

inline void narrow_row(Bf16* p, __m512 low, __m512 high) {
  if (converts_to_bf16.load(std::memory_order_relaxed)) {
    // The intrinsic of what is constant would be hoisted out of this branch, and be an illegal instruction there.
    __m512i pairs;
    asm volatile("vcvtne2ps2bf16 %2, %1, %0" : "=v"(pairs) : "v"(high), "v"(low));
    _mm512_store_si512(p, pairs);
  } else {
    _mm256_store_si256(reinterpret_cast<__m256i*>(p), narrowed(low));
    _mm256_store_si256(reinterpret_cast<__m256i*>(p + 16), narrowed(high));
  }
}

// Two accumulators: channels 0 to 15 and 16 to 31 of a block.
struct Row {
  __m512 low, high;
};
inline Row load_row(const Bf16* p) { return {widen_row(p), widen_row(p + 16)}; }
inline Row load_row(const float* p) { return {_mm512_loadu_ps(p), _mm512_loadu_ps(p + 16)}; }
inline Row operator+(Row a, Row b) { return {_mm512_add_ps(a.low, b.low), _mm512_add_ps(a.high, b.high)}; }
inline Row operator-(Row a, Row b) { return {_mm512_sub_ps(a.low, b.low), _mm512_sub_ps(a.high, b.high)}; }
inline Row fma(Row a, Row b, Row c) {
  return {_mm512_fmadd_ps(a.low, b.low, c.low), _mm512_fmadd_ps(a.high, b.high, c.high)};
}
// Zero first: the instruction returns its second operand where one is NaN, and a NaN must not vanish.
inline Row relu(Row a) {
  return {_mm512_max_ps(_mm512_setzero_ps(), a.low), _mm512_max_ps(_mm512_setzero_ps(), a.high)};
}
inline Row zero_row() { return {_mm512_setzero_ps(), _mm512_setzero_ps()}; }
inline void store_row(float* p, Row a) {
  _mm512_storeu_ps(p, a.low);
  _mm512_storeu_ps(p + 16, a.high);
}
inline void store_row(Bf16* p, Row a) { narrow_row(p, a.low, a.high); }
// Where mask > 0, else 0.
inline Row where_positive(Row mask, Row a) {
  const __m512 zero = _mm512_setzero_ps();
  return {_mm512_maskz_mov_ps(_mm512_cmp_ps_mask(mask.low, zero, _CMP_GT_OQ), a.low),
          _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(mask.high, zero, _CMP_GT_OQ), a.high)};
}

}  // namespace signstep::amx

SIGNSTEP_AMX_END
