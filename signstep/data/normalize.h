// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "signstep/data/image_set.h"

namespace signstep {

// Mean and standard deviation per channel, of pixels scaled to [0, 1].
struct Normalization {
  std::vector<float> mean, std;
};

// Over all pixels of a set that is not empty.
Normalization measure_normalization(const ImageSet& set);

using PixelTables = std::vector<std::array<float, 256>>;

// table[c][p] = (p / 255 - mean[c]) / std[c], rounded once, so that a pixel's value depends on no compiler
// option. Throws OptionError unless the lengths agree and every std is above 0.
PixelTables pixel_tables(const Normalization& normalization);

}  // namespace signstep
