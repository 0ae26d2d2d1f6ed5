// SPDX-License-Identifier: Apache-2.0
// The batch as the first convolution's operand. Three input channels would fill a tenth of a tile, so all 9 taps of a
// pixel lie side by side as channels (27 of 32), and the 3x3 stem becomes a 1x1 convolution whose weights are already
// in order.
#pragma once

#include <vector>

#include "signstep/data/batch.h"
#include "signstep/engines/amx/tiles.h"
#include "signstep/parallel/executor.h"

namespace signstep::amx {

inline constexpr int kStemKernel = 3;
inline constexpr int kMaxInputChannels = kSide / (kStemKernel * kStemKernel);

class StemInput {
 public:
  // Images first .. first + count - 1 of the batch, rounded to bf16; out has one block and room for them.
  void fill(const Batch& batch, size_t first, size_t count, const Tiles& out, Executor& executor);

 private:
  std::vector<Bf16> padded_;  // (image, height + 2, width + 2, channel), zero around the image
};

}  // namespace signstep::amx
