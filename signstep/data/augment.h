// SPDX-License-Identifier: Apache-2.0
// Random crop, flip and cutout of one image. Crop and flip as torchvision's RandomCrop(32, padding=4) and
// RandomHorizontalFlip do them: in raw pixels, padded with 0, before normalisation. Cutout (DeVries, Taylor 2017, arXiv
// 1708.04552) comes last, after normalisation: a square of zeros, which is the mean pixel.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "signstep/data/image_set.h"

namespace signstep {

struct AugmentOptions {
  bool crop = false;   // a window of the image's size, anywhere in the image padded by kCropPadding on each side
  bool flip = false;   // left to right, with probability 1/2
  int64_t cutout = 0;  // [0, kLargestCutout], pixels: side of the square; its centre is any pixel, the rest is clipped
};

inline constexpr int64_t kLargestCutout = 64;  // twice the frame: covers it from anywhere

inline constexpr int kCropPadding = 4;

// Networks here want 32 x 32, so 28 x 28 images get two rows and columns of 0 on each side before anything else.
constexpr int framed_side(int side) { return side == 28 ? 32 : side; }

// Which part of the frame is shown: its pixel (y, x) is the frame's pixel (y + dy, x + dx), then flipped.
struct Window {
  int dy = 0, dx = 0;  // -kCropPadding to kCropPadding
  bool flip = false;
  int cutout = 0;                       // side of the square of zeros; 0: none
  int cutout_top = 0, cutout_left = 0;  // its corner in the shown image, may lie outside
};

// A function of (seed, epoch, image) alone, image being the index in the whole set: word 0 of the group of that number
// gives dy, word 1 dx, word 2 flip; in the stream Purpose::kCutout word 0 gives the row of the square's centre, word 1
// the column. The square begins at centre - cutout / 2, as in the paper's code for an even cutout (its odd ones are one
// smaller). side is the frame's. An offset's probability is off by less than 2^-27 of itself.
Window draw_window(const AugmentOptions& options, uint64_t seed, uint64_t epoch, uint32_t image, int side = 32);

// Writes one normalised image, height x width x channels of the frame, to out. tables are those of pixel_tables, one
// per channel. Throws DataError when the set does not hold the image. About 3 us for CIFAR.
void render(const ImageSet& set, uint32_t image, const std::vector<std::array<float, 256>>& tables,
            const Window& window, float* out);

}  // namespace signstep
