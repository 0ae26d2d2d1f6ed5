// SPDX-License-Identifier: Apache-2.0
#include "signstep/base/error.h"

#include <cerrno>
#include <system_error>

namespace signstep {

void throw_errno(const std::string& verb, const std::string& path, const std::string& advice) {
  const int code = errno;
  throw EnvironmentError(
      fmt::format("cannot {} {}: {}; {}", verb, path, std::generic_category().message(code), advice));
}

}  // namespace signstep
