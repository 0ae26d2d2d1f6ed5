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

// Writes the parts in a row to a new file of a random name beside path, syncs, renames, syncs the folder. Throws
// EnvironmentError (full disk, no permission, ...), and then path is as it was and the temporary file is gone; only
// when the folder cannot be synced is path the new file, which a power cut may then take back. Folders that cannot be
// synced at all (EINVAL on some file systems, no permission to read) are fine. A link stays, and what it leads to is
// replaced; a folder, a device or a pipe is refused, for it cannot be replaced without a loss.
void write_file_atomic(const std::string& path, const std::vector<std::span<const std::byte>>& parts);
void write_file_atomic(const std::string& path, std::string_view text);

// The whole of a regular file. Throws EnvironmentError when it cannot be read or is longer than max_bytes.
std::vector<uint8_t> read_file(const std::string& path, size_t max_bytes = size_t{1} << 36);
std::string read_text_file(const std::string& path, size_t max_bytes = size_t{1} << 26);

// Creates the folder and its parents, and syncs the folder that each new one lies in. Throws EnvironmentError.
void make_folders(const std::string& path);

// Removes what write_file_atomic left in the folder when its process was killed: files named .NAME.tmp-DIGITS. Call it
// only where nobody else writes, as under the folder's lock. What cannot be removed stays.
void remove_stale_files(const std::string& folder);

}  // namespace signstep
