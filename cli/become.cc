// SPDX-License-Identifier: Apache-2.0
#include "cli/become.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "signstep/base/error.h"

namespace signstep::cli {

std::string own_program() {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) throw EnvironmentError(fmt::format("cannot read /proc/self/exe: {}", error.message()));
  return self.string();
}

void become(const char* program, char** arguments) {
  // c10d logs what this program says in a message of its own, once a second where a rank cannot be reached.
  ::setenv("GLOG_minloglevel", "3", 0);
  ::setenv("TORCH_CPP_LOG_LEVEL", "FATAL", 0);
  const std::string path = std::filesystem::path(own_program()).parent_path() / program;
  ::execv(path.c_str(), arguments);
  throw_errno("start", path, "it is built and installed beside signstep: keep the two together");
}

}  // namespace signstep::cli
