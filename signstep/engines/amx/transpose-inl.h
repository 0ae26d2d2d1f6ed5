// SPDX-License-Identifier: Apache-2.0
// Changes of order within registers.
#pragma once

#include <cstdint>

#include "signstep/engines/amx/amx_target.h"
#include "signstep/engines/amx/tiles.h"

SIGNSTEP_AMX_BEGIN

namespace signstep::amx::fast {

// A 16 x 16 matrix of 32-bit words, in place: pairs, then quarters, then 128-bit lanes.
inline void transpose(__m512i (&r)[16]) {
  __m512i t[16];
  for (int i = 0; i < 8; ++i) {
    t[2 * i] = _mm512_unpacklo_epi32(r[2 * i], r[2 * i + 1]);
    t[2 * i + 1] = _mm512_unpackhi_epi32(r[2 * i], r[2 * i + 1]);
  }
  for (int i = 0; i < 4; ++i) {
    r[4 * i] = _mm512_unpacklo_epi64(t[4 * i], t[4 * i + 2]);
    r[4 * i + 1] = _mm512_unpackhi_epi64(t[4 * i], t[4 * i + 2]);
    r[4 * i + 2] = _mm512_unpacklo_epi64(t[4 * i + 1], t[4 * i + 3]);
    r[4 * i + 3] = _mm512_unpackhi_epi64(t[4 * i + 1], t[4 * i + 3]);
  }
  // Lane l of r[4 i + j] holds rows 4 i .. 4 i + 3 of column 4 l + j.
  for (int j = 0; j < 4; ++j) {
    t[j] = _mm512_shuffle_i32x4(r[j], r[4 + j], 0x88);
    t[4 + j] = _mm512_shuffle_i32x4(r[j], r[4 + j], 0xdd);
    t[8 + j] = _mm512_shuffle_i32x4(r[8 + j], r[12 + j], 0x88);
    t[12 + j] = _mm512_shuffle_i32x4(r[8 + j], r[12 + j], 0xdd);
  }
  for (int j = 0; j < 4; ++j) {
    r[j] = _mm512_shuffle_i32x4(t[j], t[8 + j], 0x88);
    r[8 + j] = _mm512_shuffle_i32x4(t[j], t[8 + j], 0xdd);
    r[4 + j] = _mm512_shuffle_i32x4(t[4 + j], t[12 + j], 0x88);
    r[12 + j] = _mm512_shuffle_i32x4(t[4 + j], t[12 + j], 0xdd);
  }
}

// 32 rows of 32 values to two tiles with rows j and j + 16 in pairs: column c of pair j at column_of(c).
inline void interleave(const Bf16* unit, Bf16* out) {
  for (int64_t j = 0; j < 16; ++j) {
    const __m512i a = _mm512_load_si512(unit + j * kSide), b = _mm512_load_si512(unit + (j + 16) * kSide);
    _mm512_store_si512(out + j * kSide, _mm512_unpacklo_epi16(a, b));
    _mm512_store_si512(out + 512 + j * kSide, _mm512_unpackhi_epi16(a, b));
  }
}

}  // namespace signstep::amx::fast

SIGNSTEP_AMX_END
