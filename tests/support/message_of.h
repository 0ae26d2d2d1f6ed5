// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gmock/gmock.h>

#include <functional>
#include <string>

namespace signstep {

// The message of the wanted Error; a test failure when none is thrown.
template <class Wanted>
std::string message_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Wanted& error) {
    return error.what();
  }
  ADD_FAILURE() << "nothing was thrown";
  return "";
}

}  // namespace signstep
