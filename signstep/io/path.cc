// SPDX-License-Identifier: Apache-2.0
#include "signstep/io/path.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "signstep/base/error.h"

namespace signstep {
namespace {

// Whether there is something, which status then describes.
bool look_at(const std::string& path, struct stat& status) {
  if (::stat(path.c_str(), &status) == 0) return true;
  if (errno == ENOENT || errno == ENOTDIR) return false;
  throw_errno("look at", path, errno == ENAMETOOLONG ? "give a shorter name" : "check the permissions of its folders");
}

}  // namespace

bool path_exists(const std::string& path) {
  struct stat status {};
  return look_at(path, status);
}

bool is_folder(const std::string& path) {
  struct stat status {};
  return look_at(path, status) && S_ISDIR(status.st_mode);
}

void require_path(const std::string& path, const std::string& wanted) {
  if (!path_exists(path)) throw EnvironmentError(fmt::format("{} does not exist; name {}", path, wanted));
}

std::vector<std::string> names_in(const std::string& folder) {
  std::error_code error;
  std::vector<std::string> names;
  for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error))
    names.push_back(entry->path().filename().string());
  if (error && error != std::errc::no_such_file_or_directory) {
    throw EnvironmentError(
        fmt::format("cannot list {}: {}; check the name and the permissions", folder, error.message()));
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace signstep
