// SPDX-License-Identifier: Apache-2.0
// A product of two units in 2 x 2 tiles of sums (tiles 0 to 3), which forward, backward and the weight gradient share.
#pragma once

#include "signstep/engines/amx/amx_target.h"
#include "signstep/engines/amx/tiles.h"

SIGNSTEP_AMX_BEGIN

namespace signstep::amx::fast {

inline void zero_sums() {
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
}

// Sums are a 32 x 32 matrix of floats in memory.
inline void load_sums(const float* c) {
  _tile_loadd(0, c, 128);
  _tile_loadd(1, c + 16, 128);
  _tile_loadd(2, c + 16 * kSide, 128);
  _tile_loadd(3, c + 16 * kSide + 16, 128);
}

inline void store_sums(float* c) {
  _tile_stored(0, c, 128);
  _tile_stored(1, c + 16, 128);
  _tile_stored(2, c + 16 * kSide, 128);
  _tile_stored(3, c + 16 * kSide + 16, 128);
}

// Adds a b: four loads for four products.
inline void add_product(const Bf16* a, const Bf16* b) {
  _tile_loadd(4, a, 64);
  _tile_loadd(6, b, 64);
  _tile_dpbf16ps(0, 4, 6);
  _tile_loadd(7, b + 512, 64);
  _tile_dpbf16ps(1, 4, 7);
  _tile_loadd(5, a + 512, 64);
  _tile_dpbf16ps(2, 5, 6);
  _tile_dpbf16ps(3, 5, 7);
}

}  // namespace signstep::amx::fast

SIGNSTEP_AMX_END
