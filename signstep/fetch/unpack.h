// SPDX-License-Identifier: Apache-2.0
// Files out of a .tar.gz, by libarchive.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace signstep {

// The contents of the regular files whose names, without their folders, are among the wanted ones; everything else is
// passed over, and nothing is written. Throws DataError for a damaged archive, a name that leads out of the archive
// (absolute, or with ".."), a wanted file that is not in it or twice, and one above kMaxDataBytes.
std::map<std::string, std::vector<uint8_t>> unpack_tar_gz(const std::string& path,
                                                          const std::vector<std::string>& wanted);

}  // namespace signstep
