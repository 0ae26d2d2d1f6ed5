// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace signstep {

// More than any data set read here needs (CIFAR-100's train.bin has 153,700,000); refused before a byte is allocated.
inline constexpr size_t kMaxDataBytes = size_t{1} << 28;

// The length of a regular file. Throws as read_data_file does.
uint64_t data_file_bytes(const std::string& path);

// At most count of its bytes from offset on. Throws EnvironmentError when the system refuses.
std::vector<uint8_t> read_data_part(const std::string& path, uint64_t offset, size_t count);

// A whole regular file. Throws DataError when it is missing, not a regular file or larger than kMaxDataBytes,
// EnvironmentError when the system refuses.
std::vector<uint8_t> read_data_file(const std::string& path);

}  // namespace signstep
