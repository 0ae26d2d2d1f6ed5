// SPDX-License-Identifier: Apache-2.0
// The one order in which this project adds: a sum is the same for any thread count, vector width and chunking.
//
//   block    4096 elements, 16 double lanes that start at +0: element i is added to lane i mod 16, in index order;
//            then lanes are added pairwise, lane k += lane k + 8, k + 4, k + 2, k + 1
//   partial  64 blocks, added in index order: what one task of an executor computes
//   total    the partials of a tensor, added in index order
#pragma once

#include <cstddef>

#include "signstep/base/host_device.h"
#include "signstep/parallel/pieces.h"

namespace signstep {

inline constexpr size_t kSumLanes = 16;
inline constexpr size_t kBlockElements = 4096;
inline constexpr size_t kPartialElements = 64 * kBlockElements;
static_assert(kPartialElements == kPieceElements);

// The lanes of a block, added pairwise.
SIGNSTEP_HD inline double lanes_total(const double* lane) {
  double t[kSumLanes];
  for (size_t k = 0; k < kSumLanes; ++k) t[k] = lane[k];
  for (size_t half = kSumLanes / 2; half > 0; half /= 2)
    for (size_t k = 0; k < half; ++k) t[k] += t[k + half];
  return t[0];
}

struct alignas(64) LaneSums {
  double lane[kSumLanes] = {};

  void add(size_t i, double value) { lane[i % kSumLanes] += value; }
  double total() const { return lanes_total(lane); }
};

}  // namespace signstep
