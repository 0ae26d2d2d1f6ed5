// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace signstep::cli {

// This program's file. Throws EnvironmentError where the system does not say.
std::string own_program();

// Goes on as another program, which lies beside this one, with the same arguments. Throws EnvironmentError where it
// cannot be started.
[[noreturn]] void become(const char* program, char** arguments);

}  // namespace signstep::cli
