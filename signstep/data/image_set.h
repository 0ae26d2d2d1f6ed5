// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace signstep {

// Decoded labelled images. Pixels are 0..255, count x channels x height x width (planar, as on disk); labels are below
// classes.
struct ImageSet {
  int channels = 0, height = 0, width = 0, classes = 0;
  std::vector<uint8_t> pixels;
  std::vector<uint8_t> labels;

  size_t count() const { return labels.size(); }
  size_t image_size() const { return static_cast<size_t>(channels) * height * width; }
};

}  // namespace signstep
