// SPDX-License-Identifier: Apache-2.0
#include "signstep/data/idx.h"

#include <algorithm>

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

void check_length(const std::vector<uint32_t>& sizes, size_t wanted, uint64_t seen, const std::string& path) {
  if (seen == wanted) return;
  throw DataError(fmt::format("{}: the header ({}) wants {} bytes in all, the file has {}; it is {}, get it again",
                              path, fmt::join(sizes, " x "), wanted, seen, seen < wanted ? "truncated" : "too long"));
}

// The last field of a gzip file (RFC 1952): how much it unpacks to, which is below 4 GiB here.
uint64_t recorded_bytes(const std::string& path, uint64_t packed) {
  const std::vector<uint8_t> end = read_data_part(path, packed - std::min<uint64_t>(packed, 4), 4);
  uint64_t bytes = 0;
  for (size_t i = end.size(); i > 0; --i) bytes = bytes << 8 | end[i - 1];
  return bytes;
}

}  // namespace

std::vector<uint32_t> peek_idx(const std::string& path, size_t rank) {
  constexpr size_t kBeginning = 4096;  // more than gzip needs for its own header and so few bytes of content
  uint64_t content = data_file_bytes(path);
  std::vector<uint8_t> begin = read_data_part(path, 0, kBeginning);
  const bool packed = is_gzip(begin);
  if (packed) {
    content = recorded_bytes(path, content);
    begin = gunzip_begin(begin, path, header_bytes(rank));
  }
  size_t values = 0;
  std::vector<uint32_t> sizes = parse_header(begin, rank, path, values);
  const size_t wanted = header_bytes(rank) + values;
  // The record is of the last member of a file that may have several.
  if (packed && content != wanted) content = gunzip(read_data_file(path), path, wanted).size();
  check_length(sizes, wanted, content, path);
  return sizes;
}

IdxArray parse_idx(std::span<const uint8_t> bytes, size_t rank, const std::string& path) {
  size_t wanted = 0;
  const std::vector<uint32_t> sizes = parse_header(bytes, rank, path, wanted);
  check_length(sizes, header_bytes(rank) + wanted, bytes.size(), path);
  return {sizes, bytes.subspan(header_bytes(rank))};
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
