// SPDX-License-Identifier: Apache-2.0
#include "signstep/data/idx.h"
#include "fuzz/target.h"

namespace signstep::fuzz {

// As a file, packed or not, of images and of labels.
void read(std::span<const uint8_t> bytes) {
  if (bytes.empty()) return;
  const size_t rank = bytes[0] % 2 == 0 ? 3 : 1;
  parse_idx(unpack_idx({bytes.begin() + 1, bytes.end()}, rank, "fuzz"), rank, "fuzz");
}

std::vector<std::string> seeds() {
  return {std::string("\0\0\0\x08\x03\0\0\0\1\0\0\0\2\0\0\0\3abcdef", 23),
          std::string("\1\0\0\x08\x01\0\0\0\4abcd", 13)};
}

}  // namespace signstep::fuzz
