// SPDX-License-Identifier: Apache-2.0
// One value of a rendered image: what render() of augment.h writes there. A CUDA kernel computes images by it.
#pragma once

#include "signstep/base/host_device.h"
#include "signstep/data/augment.h"

namespace signstep {

struct RenderShape {
  int channels = 0;
  int set_height = 0, set_width = 0;  // of the set's images
  int height = 0, width = 0;          // of the frame
};

// image: one of the set, planar; tables: channels x 256. y, x and c are of the frame.
SIGNSTEP_HD inline float render_element(const RenderShape& s, const uint8_t* image, const float* tables,
                                        const Window& window, int y, int x, int c) {
  const bool cut = y >= window.cutout_top && y < window.cutout_top + window.cutout && x >= window.cutout_left &&
                   x < window.cutout_left + window.cutout;
  if (cut) return 0;
  const int source_y = y + window.dy - (s.height - s.set_height) / 2;
  const int source_x = (window.flip ? s.width - 1 - x : x) + window.dx - (s.width - s.set_width) / 2;
  const bool inside = source_y >= 0 && source_y < s.set_height && source_x >= 0 && source_x < s.set_width;
  return tables[c * 256 + (inside ? image[(c * s.set_height + source_y) * s.set_width + source_x] : 0)];
}

}  // namespace signstep
