// SPDX-License-Identifier: Apache-2.0
#include "signstep/data/read_file.h"

#include <cerrno>
#include <filesystem>
#include <fstream>

#include "signstep/base/error.h"
#include "signstep/io/atomic_file.h"

namespace signstep {

uint64_t data_file_bytes(const std::string& path) {
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(path, error);
  if (status.type() == std::filesystem::file_type::not_found) {
    throw DataError(fmt::format("{} does not exist; check the path (docs/data.md)", path));
  }
  uint64_t size = 0;
  if (status.type() == std::filesystem::file_type::regular) {
    size = std::filesystem::file_size(path, error);
    if (!error && size > kMaxDataBytes) {
      throw DataError(
          fmt::format("{} has {} bytes; wanted at most {}; it is not a file of a data set that is read here", path,
                      size, kMaxDataBytes));
    }
  } else if (!error) {
    throw DataError(fmt::format("{} is not a regular file; wanted a data file, see docs/data.md", path));
  }
  if (error) {
    errno = error.value();
    throw_errno("open", path, "check the name and the permissions");
  }
  return size;
}

std::vector<uint8_t> read_data_part(const std::string& path, uint64_t offset, size_t count) {
  std::ifstream file(path, std::ios::binary);
  std::vector<uint8_t> bytes(count);
  file.seekg(static_cast<std::streamoff>(offset));
  file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(count));
  if (!file.is_open() || file.bad()) throw_errno("read", path, "check the name and the permissions");
  bytes.resize(static_cast<size_t>(file.gcount()));
  return bytes;
}

std::vector<uint8_t> read_data_file(const std::string& path) {
  data_file_bytes(path);
  return read_file(path, kMaxDataBytes);
}

}  // namespace signstep
