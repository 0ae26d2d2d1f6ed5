// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "signstep/data/augment.h"
#include "signstep/data/normalize.h"

namespace signstep {

// What images are made of, as render() of augment.h makes them.
struct RawImages {
  int height = 0, width = 0;                  // as they lie in the set
  std::vector<uint8_t> pixels;                // count x channels x height x width
  std::vector<Window> windows;                // one an image
  std::shared_ptr<const PixelTables> tables;  // one a channel
};

// Normalised images, count x height x width x channels (channels innermost), and one label each.
struct Batch {
  size_t count = 0;
  int height = 0, width = 0, channels = 0;
  std::vector<float> images;
  std::vector<int64_t> labels;
  RawImages raw = {};  // for an engine that renders them: in the place of images, which are empty then

  bool is_raw() const { return !raw.windows.empty(); }
};

}  // namespace signstep
