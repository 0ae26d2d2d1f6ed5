// SPDX-License-Identifier: Apache-2.0
// One tap's part of the weight gradient from a band of pixels in order (weight_gradient_fast.cc).
#pragma once

#include <vector>

#include "signstep/engines/amx/geometry.h"
#include "signstep/engines/amx/tiles.h"

namespace signstep::amx::fast {

struct PairSum {
  const std::vector<Band::Pair>& pairs;  // which meet, of one group
  const Bf16 *dy, *x;                    // units of the first group: transposed, interleaved
  int64_t groups, dy_step, x_step;       // values from a group to the next
  int64_t rows, columns;                 // real channels of the results: dy's, x's
};

}  // namespace signstep::amx::fast
