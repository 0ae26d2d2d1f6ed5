// SPDX-License-Identifier: Apache-2.0
#include "signstep/data/idx.h"

#include "signstep/base/error.h"
#include "signstep/data/gunzip.h"
#include "signstep/data/read_file.h"

namespace signstep {
namespace {

constexpr uint8_t kUnsignedByte = 0x08;

uint32_t big_endian(std::span<const uint8_t> b) {
  return uint32_t{b[0]} << 24 | uint32_t{b[1]} << 16 | uint32_t{b[2]} << 8 | b[3];
}

size_t header_bytes(size_t rank) { return 4 + 4 * rank; }

// The sizes that a header declares. values becomes their product, at most kMaxDataBytes. bytes may hold more than the
// header.
std::vector<uint32_t> parse_header(std::span<const uint8_t> bytes, size_t rank, const std::string& path,
                                   size_t& values) {
  const size_t header = header_bytes(rank);
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
  std::vector<uint32_t> sizes;
  uint64_t wanted = 1;
  for (size_t i = 0; i < rank; ++i) {
    const uint32_t size = big_endian(bytes.subspan(4 + 4 * i, 4));
    sizes.push_back(size);
    // Each factor is below 2^32 and the product so far at most 2^29, so it cannot wrap before this looks.
    wanted *= size;
    if (wanted == 0 || wanted > kMaxDataBytes) {
      throw DataError(fmt::format("{}: dimension {} is {}; wanted 1 to {} values in all; the header is damaged", path,
                                  i + 1, size, kMaxDataBytes));
    }
  }
  values = wanted;
  return sizes;
}

}  // namespace

IdxArray parse_idx(std::span<const uint8_t> bytes, size_t rank, const std::string& path) {
  IdxArray array;
  size_t wanted = 0;
  array.sizes = parse_header(bytes, rank, path, wanted);
  const size_t header = header_bytes(rank);
  array.values = bytes.subspan(header);
  if (array.values.size() != wanted) {
    throw DataError(fmt::format("{}: the header ({}) wants {} bytes in all, the file has {}; it is {}, get it again",
                                path, fmt::join(array.sizes, " x "), header + wanted, bytes.size(),
                                array.values.size() < wanted ? "truncated" : "too long"));
  }
  return array;
}

std::vector<uint8_t> unpack_idx(std::vector<uint8_t> bytes, size_t rank, const std::string& path) {
  if (!is_gzip(bytes)) return bytes;
  size_t values = 0;
  std::vector<uint8_t> begin = gunzip_begin(bytes, path, header_bytes(rank));
  if (begin.size() < header_bytes(rank)) begin = gunzip(bytes, path, header_bytes(rank));  // says so where it is cut
  parse_header(begin, rank, path, values);
  return gunzip(bytes, path, header_bytes(rank) + values);
}

}  // namespace signstep
