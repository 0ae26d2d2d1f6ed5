// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "signstep/data/catalog.h"
#include "signstep/data/image_set.h"

namespace signstep {

// Mean and standard deviation per channel, of pixels scaled to [0, 1].
struct Normalization {
  std::vector<float> mean, deviation;
};

// Of the official training sets (28 x 28 images before padding), rounded to four digits. docs/data.md says which of
// them we computed ourselves.
Normalization normalization(DatasetKind kind);

// Over all pixels of a set that is not empty.
Normalization measure_normalization(const ImageSet& set);

// table[c][p] = (p / 255 - mean[c]) / deviation[c], rounded once, so that a pixel's value depends on no compiler
// option. Throws OptionError unless the lengths agree and every deviation is above 0.
std::vector<std::array<float, 256>> pixel_tables(const Normalization& normalization);

}  // namespace signstep
