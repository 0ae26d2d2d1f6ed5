// SPDX-License-Identifier: Apache-2.0
// Files that are either the old one or the new one, whatever happens in between.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace signstep {

// Writes the parts in a row to a temporary name beside path, syncs, renames, syncs the folder. Throws EnvironmentError
// (full disk, no permission, ...), and then path is as it was and the temporary file is gone.
void write_file_atomic(const std::string& path, const std::vector<std::span<const std::byte>>& parts);
void write_file_atomic(const std::string& path, std::string_view text);

// The whole of a regular file. Throws EnvironmentError when it cannot be read or is longer than max_bytes.
std::vector<uint8_t> read_file(const std::string& path, size_t max_bytes = size_t{1} << 36);
std::string read_text_file(const std::string& path, size_t max_bytes = size_t{1} << 26);

// Creates the folder and its parents. Throws EnvironmentError.
void make_folders(const std::string& path);

}  // namespace signstep
