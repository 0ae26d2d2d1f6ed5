// SPDX-License-Identifier: Apache-2.0
// The shortcut without parameters (Layer::Kind::kPad), and its gradient: whole units are copied, because channels
// beyond the real ones are 0 in every tensor.
#pragma once

#include <cstring>

#include "signstep/engines/amx/context.h"

namespace signstep::amx {

// out at (row, column) is x at stride times both; blocks that x has not are 0. Widths in pixels.
inline void pad_shortcut(Context& context, const Tiles& x, int64_t x_width, int64_t stride, const Tiles& out,
                         int64_t out_width) {
  context.for_each_row(out, out_width, [&](int64_t group, int64_t row) {
    for (int64_t column = 0; column < out_width; ++column)
      for (int64_t block = 0; block < out.blocks; ++block) {
        Bf16* to = out.unit(group, row * out_width + column, block);
        if (block < x.blocks) {
          std::memcpy(to, x.unit(group, row * stride * x_width + column * stride, block), kUnit * sizeof(Bf16));
        } else {
          std::memset(to, 0, kUnit * sizeof(Bf16));
        }
      }
  });
}

// The gradient at x of a gradient at out: 0 where nothing was taken from. What it brings to channels that x has not is
// rectified away, as x is 0 there.
inline void pad_shortcut_gradient(Context& context, const Tiles& gradient, int64_t out_width, int64_t stride,
                                  const Tiles& x, int64_t x_width) {
  context.for_each_row(x, x_width, [&](int64_t group, int64_t row) {
    for (int64_t column = 0; column < x_width; ++column) {
      const bool taken = row % stride == 0 && column % stride == 0;
      for (int64_t block = 0; block < x.blocks; ++block) {
        Bf16* to = x.unit(group, row * x_width + column, block);
        if (taken) {
          std::memcpy(to, gradient.unit(group, row / stride * out_width + column / stride, block),
                      kUnit * sizeof(Bf16));
        } else {
          std::memset(to, 0, kUnit * sizeof(Bf16));
        }
      }
    }
  });
}

}  // namespace signstep::amx
