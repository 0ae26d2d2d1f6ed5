// SPDX-License-Identifier: Apache-2.0
// Words for messages that people copy.
#pragma once

#include <string>
#include <string_view>

namespace signstep {

// The word as a POSIX shell reads it back: as it is where nothing in it is special, else in single quotes.
std::string shell_quoted(std::string_view word);

}  // namespace signstep
