// SPDX-License-Identifier: Apache-2.0
// PNG files written by hand, for tests of who reads them.
#pragma once

#include <zlib.h>

#include <cstdint>
#include <string>
#include <vector>

namespace signstep {

// color_type as PNG has it: 0 grey, 2 RGB, 6 RGB and alpha; depth: 8 or 16 bits. rows: height x width x channels, two
// bytes each of 16 bits.
inline std::vector<uint8_t> png_bytes(uint32_t width, uint32_t height, uint8_t color_type,
                                      const std::vector<uint8_t>& rows, uint8_t depth = 8) {
  std::vector<uint8_t> out = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
  const auto put32 = [](std::vector<uint8_t>& to, uint64_t value) {
    for (int shift = 24; shift >= 0; shift -= 8) to.push_back(static_cast<uint8_t>(value >> shift));
  };
  const auto chunk = [&](const std::string& type, const std::vector<uint8_t>& data) {
    put32(out, data.size());
    std::vector<uint8_t> body(type.begin(), type.end());
    body.insert(body.end(), data.begin(), data.end());
    out.insert(out.end(), body.begin(), body.end());
    put32(out, crc32(0, body.data(), static_cast<uInt>(body.size())));
  };
  std::vector<uint8_t> head;
  put32(head, width);
  put32(head, height);
  head.insert(head.end(), {depth, color_type, 0, 0, 0});
  const size_t line = width * (color_type == 0 ? 1 : color_type == 2 ? 3 : 4) * depth / 8;
  std::vector<uint8_t> raw;
  for (size_t y = 0; y < height && (y + 1) * line <= rows.size(); ++y) {
    raw.push_back(0);  // no filter
    raw.insert(raw.end(), rows.begin() + static_cast<std::ptrdiff_t>(y * line),
               rows.begin() + static_cast<std::ptrdiff_t>((y + 1) * line));
  }
  std::vector<uint8_t> packed(compressBound(static_cast<uLong>(raw.size())));
  uLongf size = packed.size();
  compress(packed.data(), &size, raw.data(), static_cast<uLong>(raw.size()));
  packed.resize(size);
  chunk("IHDR", head);
  chunk("IDAT", packed);
  chunk("IEND", {});
  return out;
}

}  // namespace signstep
