// SPDX-License-Identifier: Apache-2.0
#include "signstep/data/idx.h"

#include "signstep/core/error.h"
#include "signstep/data/gunzip.h"
#include "signstep/data/read_file.h"

namespace signstep {
namespace {

constexpr uint8_t kUnsignedByte = 0x08;

uint32_t big_endian(std::span<const uint8_t> b) {
  return uint32_t{b[0]} << 24 | uint32_t{b[1]} << 16 | uint32_t{b[2]} << 8 | b[3];
}

}  // namespace

IdxArray parse_idx(std::span<const uint8_t> bytes, size_t rank, const std::string& path) {
  const size_t header = 4 + 4 * rank;
  if (bytes.size() < header) {
    throw DataError(
        fmt::format("{} has {} bytes; wanted an IDX header of {} bytes; the file is truncated, get it again", path,
                    bytes.size(), header));
  }
  if (bytes[0] != 0 || bytes[1] != 0 || bytes[2] != kUnsignedByte || bytes[3] != rank) {
    throw DataError(
        fmt::format("{} starts with {:02x}; wanted 00 00 08 {:02x} (IDX, unsigned bytes, {} dimensions); "
                    "is it another file?",
                    path, fmt::join(bytes.first(4), " "), rank, rank));
  }
  IdxArray array;
  uint64_t wanted = 1;
  for (size_t i = 0; i < rank; ++i) {
    const uint32_t size = big_endian(bytes.subspan(4 + 4 * i, 4));
    array.sizes.push_back(size);
    // Each factor is below 2^32 and the product so far at most 2^29, so it cannot wrap before this looks.
    wanted *= size;
    if (wanted == 0 || wanted > kMaxDataBytes) {
      throw DataError(fmt::format("{}: dimension {} is {}; wanted 1 to {} values in all; the header is damaged", path,
                                  i + 1, size, kMaxDataBytes));
    }
  }
  const std::span<const uint8_t> values = bytes.subspan(header);
  if (values.size() != wanted) {
    throw DataError(fmt::format("{}: the header ({}) wants {} bytes in all, the file has {}; it is {}, get it again",
                                path, fmt::join(array.sizes, " x "), header + wanted, bytes.size(),
                                values.size() < wanted ? "truncated" : "too long"));
  }
  array.values.assign(values.begin(), values.end());
  return array;
}

IdxArray read_idx(const std::string& path, size_t rank) {
  std::vector<uint8_t> bytes = read_data_file(path);
  if (is_gzip(bytes)) bytes = gunzip(bytes, path, kMaxDataBytes);
  return parse_idx(bytes, rank, path);
}

}  // namespace signstep
