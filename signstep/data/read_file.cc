// SPDX-License-Identifier: Apache-2.0
#include "signstep/data/read_file.h"

#include <filesystem>

#include "signstep/base/error.h"
#include "signstep/io/atomic_file.h"

namespace signstep {

std::vector<uint8_t> read_data_file(const std::string& path) {
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(path, error);
  if (status.type() == std::filesystem::file_type::not_found) {
    throw DataError(fmt::format("{} does not exist; check the path (docs/data.md)", path));
  }
  if (status.type() == std::filesystem::file_type::regular) {
    const uint64_t size = std::filesystem::file_size(path, error);
    if (!error && size > kMaxDataBytes) {
      throw DataError(
          fmt::format("{} has {} bytes; wanted at most {}; it is not a file of a data set that is read here", path,
                      size, kMaxDataBytes));
    }
  } else if (!error) {
    throw DataError(fmt::format("{} is not a regular file; wanted a data file, see docs/data.md", path));
  }
  return read_file(path, kMaxDataBytes);  // what the system refuses is told there
}

}  // namespace signstep
