// SPDX-License-Identifier: Apache-2.0
// Internal to the reductions: what one element adds, and the plain loop over a range.
#pragma once

#include <algorithm>
#include <cmath>

#include "signstep/kernels/lane_sums.h"

namespace signstep {

enum class Reduction { kDot, kAbsolute };  // a b, |a|

inline double reduce_term(Reduction reduction, float a, float b) {
  return reduction == Reduction::kDot ? static_cast<double>(a) * b : std::fabs(static_cast<double>(a));
}

// Elements [begin, end) as blocks in index order; begin is a multiple of kBlockElements. kAbsolute reads b without
// using it.
inline double reduce_range_ref(Reduction reduction, const float* a, const float* b, size_t begin, size_t end) {
  double partial = 0;
  for (size_t block = begin; block < end; block += kBlockElements) {
    LaneSums sums;
    for (size_t i = block; i < std::min(block + kBlockElements, end); ++i)
      sums.add(i, reduce_term(reduction, a[i], b[i]));
    partial += sums.total();
  }
  return partial;
}

}  // namespace signstep
