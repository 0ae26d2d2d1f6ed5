// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace signstep {

// Normalised images, count x height x width x channels (channels innermost), and one label each.
struct Batch {
  size_t count = 0;
  int height = 0, width = 0, channels = 0;
  std::vector<float> images;
  std::vector<int64_t> labels;
};

}  // namespace signstep
