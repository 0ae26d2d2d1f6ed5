// SPDX-License-Identifier: Apache-2.0
// Pictures as people have them: PNG and JPEG files of any size. By libpng and libjpeg, where the build found them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace signstep {

struct Picture {
  int height = 0, width = 0;
  std::vector<uint8_t> rgb;  // height x width x 3
};

// Sides of at most 16,384 pixels, 2^26 pixels in all; refused before memory is taken.
inline constexpr int kLongestSide = 16384;
inline constexpr uint64_t kMostPixels = uint64_t{1} << 26;

// "PNG and JPEG", or what of it this program was built without: "JPEG (this program was built without libpng)".
std::string picture_formats();
bool can_read_png();
bool can_read_jpeg();

// Which format it is, is decided by the first bytes. Grey becomes three equal channels, transparent parts become white,
// 16 bits become 8. What a camera noted of the picture's orientation is not looked at. path only names the source in
// messages. Throws DataError for a damaged or too large picture, and for another format.
Picture decode_picture(std::span<const uint8_t> bytes, const std::string& path);
// Reads the file too: at most kMaxDataBytes of it.
Picture read_picture(const std::string& path);

// Cut in the middle to the wanted ratio of sides, then scaled, each pixel the mean of those that it stands for under a
// triangle as wide as two of its own (linear interpolation where it grows). The same bits everywhere.
Picture resized(const Picture& picture, int height, int width);

// channels x height x width, as an ImageSet has it. channels: 3, or 1 for grey (ITU-R BT.601: .299 R + .587 G + .114
// B).
std::vector<uint8_t> planes(const Picture& picture, int channels);

}  // namespace signstep
