// SPDX-License-Identifier: Apache-2.0
#include "signstep/engines/amx/stem_input.h"

#include <cstring>

namespace signstep::amx {

void StemInput::fill(const Batch& batch, size_t first, size_t count, const Tiles& out, Executor& executor) {
  const auto h = static_cast<size_t>(batch.height), w = static_cast<size_t>(batch.width),
             c = static_cast<size_t>(batch.channels);
  const size_t line = (w + 2) * c, image_size = (h + 2) * line;
  padded_.assign(count * image_size, 0);
  executor.run(count, [&](size_t image) {
    const float* from = batch.images.data() + (first + image) * h * w * c;
    for (size_t y = 0; y < h; ++y) {
      Bf16* to = padded_.data() + image * image_size + (y + 1) * line + c;
      for (size_t x = 0; x < w * c; ++x) to[x] = narrow(from[y * w * c + x]);
    }
  });
  executor.run(static_cast<size_t>(out.groups) * h, [&](size_t task) {
    const size_t group = task / h, y = task % h;
    for (size_t x = 0; x < w; ++x) {
      Bf16* unit = out.unit(static_cast<int64_t>(group), static_cast<int64_t>(y * w + x), 0);
      std::memset(unit, 0, kUnit * sizeof(Bf16));
      for (size_t i = 0; i < kSide && group * kSide + i < count; ++i) {
        const Bf16* from = padded_.data() + (group * kSide + i) * image_size + y * line + x * c;
        for (size_t row = 0; row < kStemKernel; ++row)
          std::memcpy(unit + i * kSide + row * kStemKernel * c, from + row * line, kStemKernel * c * sizeof(Bf16));
      }
    }
  });
}

}  // namespace signstep::amx
