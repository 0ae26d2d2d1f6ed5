// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdexcept>

namespace signstep {

// The caller's own passes failed; what happened is the caller's to know.
class CallbackError : public std::runtime_error {
 public:
  CallbackError() : std::runtime_error("the caller's passes failed; the step is not complete, restore a saved state") {}
};

}  // namespace signstep
