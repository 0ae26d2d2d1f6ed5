// SPDX-License-Identifier: Apache-2.0
// Steps of SGD and Adam on the grid of step_body.h, four elements in a row.
#pragma once

#include "signstep/cuda/baseline_table.h"
#include "signstep/cuda/quad.h"
#include "signstep/cuda/step_body.h"

namespace signstep {

template <Baseline kKind, class Grid>
SIGNSTEP_HD inline void baseline_body(Grid& grid, FoundTensor& shared, const StepTable<BaselineEntry>& table) {
  constexpr bool kMomentum = kKind != Baseline::kSgd, kAdam = kKind == Baseline::kAdam;
  find_tensor(grid, shared.tensor, table);
  grid.each([&](uint32_t thread) {
    const BlockRange range = range_of(table, shared.tensor, grid.block());
    const BaselineEntry e = table.entries[range.tensor];
    float* const values = static_cast<float*>(e.tensor.x);
    uint32_t nonfinite = 0;
    for (uint64_t first = range.begin + thread * kQuad; first < range.end; first += kQuad * kStepThreads) {
      const uint32_t count = quad_of(first, range.end);
      const bool whole = e.tensor.vectors && count == kQuad;
      const auto load = [&](const float* from, float* four) {
        if (whole) return load_quad(from + first, four);
        for (uint32_t j = 0; j < count; ++j) four[j] = from[first + j];
      };
      const auto store = [&](float* to, const float* four) {
        if (whole) return store_quad(to + first, four);
        for (uint32_t j = 0; j < count; ++j) to[first + j] = four[j];
      };
      float x[kQuad] = {}, g[kQuad] = {}, m[kQuad] = {}, v[kQuad] = {};
      load(static_cast<const float*>(e.tensor.g), g);
      load(values, x);
      if (kMomentum) load(e.m, m);
      if (kAdam) load(e.v, v);
      SIGNSTEP_UNROLL
      for (uint32_t j = 0; j < kQuad; ++j) {  // those beyond count are zeros, finite, and not stored
        if constexpr (kAdam)
          nonfinite += !adam_element(e.adam, x[j], g[j], m[j], v[j]);
        else
          nonfinite += !heavy_ball_element<kMomentum>(e.ball, x[j], g[j], m[j]);
      }
      store(values, x);
      if (kMomentum) store(e.m, m);
      if (kAdam) store(e.v, v);
    }
    if (nonfinite != 0) grid.add(&table.statistics[range.tensor].nonfinite, nonfinite);
  });
}

}  // namespace signstep
