// SPDX-License-Identifier: Apache-2.0
// The blocks' sums of a tensor, added as lane_sums.h says: 64 blocks to a partial, partials in index order. A block of
// this grid takes one tensor.
#pragma once

#include "signstep/cuda/step_table.h"

namespace signstep {

inline constexpr uint32_t kTotalThreads = 64;
inline constexpr uint32_t kBlocksOfPartial = kPartialElements / kBlockElements;

struct TotalShared {
  double sum[3][kTotalThreads];
  uint64_t nonzero[kTotalThreads], nonfinite[kTotalThreads];
};

template <class Entry, class Grid>
SIGNSTEP_HD inline void total_body(Grid& grid, TotalShared& shared, const StepTable<Entry>& table) {
  const uint32_t begin = table.first_block[grid.block()], end = table.first_block[grid.block() + 1];
  StepStatistics& out = table.statistics[grid.block()];
  constexpr uint32_t kRound = kTotalThreads * kBlocksOfPartial;  // blocks that the threads take at once
  for (uint64_t round = begin; round < end; round += kRound) {
    grid.each([&](uint32_t thread) {
      const uint64_t first = round + uint64_t{thread} * kBlocksOfPartial;
      const uint64_t last = first + kBlocksOfPartial < end ? first + kBlocksOfPartial : end;
      double sum[3] = {};
      uint64_t nonzero = 0, nonfinite = 0;
      for (uint64_t k = first; k < last; ++k) {
        const BlockSums& block = table.sums[k];
        sum[0] += block.s_dot_v;
        sum[1] += block.v_dot_v;
        sum[2] += block.u_dot_u;
        nonzero += block.nonzero;
        nonfinite += block.nonfinite;
      }
      for (int s = 0; s < 3; ++s) shared.sum[s][thread] = sum[s];
      shared.nonzero[thread] = nonzero;
      shared.nonfinite[thread] = nonfinite;
    });
    grid.each([&](uint32_t thread) {
      if (thread != 0) return;
      const uint64_t blocks = end - round;
      const uint64_t all = (blocks + kBlocksOfPartial - 1) / kBlocksOfPartial;
      for (uint32_t k = 0; k < kTotalThreads && k < all; ++k) {
        out.s_dot_v += shared.sum[0][k];
        out.v_dot_v += shared.sum[1][k];
        out.u_dot_u += shared.sum[2][k];
        out.nonzero += shared.nonzero[k];
        out.nonfinite += shared.nonfinite[k];
      }
    });
  }
}

}  // namespace signstep
