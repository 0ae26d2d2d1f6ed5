// SPDX-License-Identifier: Apache-2.0
// A batch of images from their pixels and windows, for a Grid as in step_body.h. A thread takes a pixel, all channels.
#pragma once

#include "signstep/data/render_element.h"

namespace signstep {

inline constexpr uint32_t kRenderThreads = 256;

// Addresses of the device.
struct RenderArguments {
  RenderShape shape;
  uint64_t count;         // images
  const uint8_t* pixels;  // count x channels x set_height x set_width
  const Window* windows;  // one an image
  const float* tables;    // channels x 256
  float* out;             // count x height x width x channels
};

SIGNSTEP_HD inline uint64_t render_pixels(const RenderArguments& a) {
  return a.count * static_cast<uint64_t>(a.shape.height) * static_cast<uint64_t>(a.shape.width);
}
SIGNSTEP_HD inline uint64_t render_blocks(const RenderArguments& a) {
  return (render_pixels(a) + kRenderThreads - 1) / kRenderThreads;
}

template <class Grid>
SIGNSTEP_HD inline void render_body(Grid& grid, const RenderArguments& a) {
  grid.each([&](uint32_t thread) {
    const uint64_t pixel = uint64_t{grid.block()} * kRenderThreads + thread;
    if (pixel >= render_pixels(a)) return;
    const RenderShape& s = a.shape;
    const auto width = static_cast<uint64_t>(s.width), height = static_cast<uint64_t>(s.height);
    const uint64_t line = pixel / width, image = line / height;
    const uint64_t image_size =
        static_cast<uint64_t>(s.channels) * static_cast<uint64_t>(s.set_height) * static_cast<uint64_t>(s.set_width);
    const int x = static_cast<int>(pixel % width), y = static_cast<int>(line % height);
    const Window window = a.windows[image];
    for (int c = 0; c < s.channels; ++c)
      a.out[pixel * static_cast<uint64_t>(s.channels) + static_cast<uint64_t>(c)] =
          render_element(s, a.pixels + image * image_size, a.tables, window, y, x, c);
  });
}

}  // namespace signstep
