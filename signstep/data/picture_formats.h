// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "signstep/data/picture.h"

namespace signstep {

// Each throws DataError as decode_picture does; without its library always.
Picture decode_png(std::span<const uint8_t> bytes, const std::string& path);
Picture decode_jpeg(std::span<const uint8_t> bytes, const std::string& path);

// Throws DataError where a side is 0 or longer than kLongestSide, or all are more than kMostPixels.
void require_picture_size(uint64_t width, uint64_t height, const std::string& path);

}  // namespace signstep
