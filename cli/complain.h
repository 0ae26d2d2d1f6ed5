// SPDX-License-Identifier: Apache-2.0
// A line on standard error. Where nobody can read it, as on a full disk, the command goes on and ends as it would have.
#pragma once

#include <cstdio>
#include <string>

namespace signstep::cli {

inline void complain(const std::string& what) { std::fputs(("signstep: " + what + "\n").c_str(), stderr); }

}  // namespace signstep::cli
