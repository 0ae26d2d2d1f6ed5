// SPDX-License-Identifier: Apache-2.0
#include "cli/private_folder.h"

#include <cstdlib>
#include <filesystem>

#include "signstep/base/error.h"

namespace signstep {

PrivateFolder::PrivateFolder(const std::string& purpose) {
  std::error_code error;
  const std::filesystem::path parent = std::filesystem::temp_directory_path(error);
  if (error)
    throw EnvironmentError(
        fmt::format("there is no folder for temporary files: {}; set TMPDIR to one", error.message()));
  folder_ = (parent / fmt::format("signstep-{}-XXXXXX", purpose)).string();
  if (::mkdtemp(folder_.data()) == nullptr)
    throw_errno("create", folder_, "set TMPDIR to a folder that you can write to");
}

PrivateFolder::~PrivateFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

}  // namespace signstep
