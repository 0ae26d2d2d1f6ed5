// SPDX-License-Identifier: Apache-2.0
// IDX, the format of MNIST: 0 0 type rank, rank big-endian 32-bit sizes, then the values, last index fastest.
// Source: LeCun, Cortes, Burges, "The MNIST database of handwritten digits".
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace signstep {

struct IdxArray {
  std::vector<uint32_t> sizes;
  std::span<const uint8_t> values;  // a view of what was parsed: exactly the product of sizes, never empty
};

// Reads unsigned bytes of the wanted rank. path only names the source in messages. Throws DataError for another type or
// rank, an empty array, and for any length but the exact one.
IdxArray parse_idx(std::span<const uint8_t> bytes, size_t rank, const std::string& path);

// The sizes in the header of a file, raw or gzip by content, from its first and last few bytes alone. Throws DataError
// for another type or rank, and where the length on disk, or the one that gzip records, is not the one they want.
std::vector<uint32_t> peek_idx(const std::string& path, size_t rank);

// The bytes of an IDX file of that rank as they are, or unpacked where they are gzip: as many as its header declares,
// and DataError before more than that is held. Takes up to twice that while it unpacks.
std::vector<uint8_t> unpack_idx(std::vector<uint8_t> bytes, size_t rank, const std::string& path);

}  // namespace signstep
