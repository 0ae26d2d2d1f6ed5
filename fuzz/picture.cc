// SPDX-License-Identifier: Apache-2.0
#include "signstep/data/picture.h"

#include <cstdlib>

#include "fuzz/target.h"

namespace signstep::fuzz {

void read(std::span<const uint8_t> bytes) {
  const Picture picture = decode_picture(bytes, "fuzz");
  if (picture.rgb.size() != size_t(picture.height) * size_t(picture.width) * 3) std::abort();
  if (picture.rgb.size() < (1 << 20) && resized(picture, 8, 8).rgb.size() != 8 * 8 * 3) std::abort();
}

// A grey pixel as PNG, and the beginning of a JPEG file.
std::vector<std::string> seeds() {
  using namespace std::string_literals;
  return {
      "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\10\0\0\0\0\x3a\x7e\x9b\x55"
      "\0\0\0\nIDAT\x78\x9c\x63\x60\0\0\0\2\0\1\x48\xaf\xa4\x71\0\0\0\0IEND\xae\x42\x60\x82"s,
      "\xff\xd8\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0"s};
}

}  // namespace signstep::fuzz
