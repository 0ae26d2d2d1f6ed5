// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace signstep {

// By content (RFC 1952: 1f 8b), because tools rename packed files and unpack named ones.
bool is_gzip(std::span<const uint8_t> bytes);

// Unpacks the gzip members that fill packed exactly, one after the other, their checksums verified by zlib. Memory
// grows with what comes out, never with what the file claims. Throws DataError naming path when it is corrupt,
// truncated, followed by other bytes, or unpacks to more than limit bytes.
std::vector<uint8_t> gunzip(std::span<const uint8_t> packed, const std::string& path, size_t limit);

// The first count bytes of what it unpacks to, or all where there are fewer: for a header that says how large the rest
// is. Throws DataError as far as it gets.
std::vector<uint8_t> gunzip_begin(std::span<const uint8_t> packed, const std::string& path, size_t count);

}  // namespace signstep
