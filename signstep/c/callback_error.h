// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdexcept>
#include <string>

namespace signstep {

// The caller's own passes failed; what happened is the caller's to know, unless they called us and we said why.
class CallbackError : public std::runtime_error {
 public:
  explicit CallbackError(const std::string& why)
      : std::runtime_error("the caller's passes failed" + (why.empty() ? why : " (" + why + ")") +
                           "; the step is not complete, restore a saved state") {}
};

}  // namespace signstep
