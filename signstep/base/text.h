// SPDX-License-Identifier: Apache-2.0
// Words for messages that people copy, and what text is.
#pragma once

#include <string>
#include <string_view>

namespace signstep {

// The word as a POSIX shell reads it back: as it is where nothing in it is special, else in single quotes.
std::string shell_quoted(std::string_view word);

// Whether it is UTF-8, which is what JSON and TOML writers need: overlong forms, surrogates and a cut end are not.
bool is_utf8(std::string_view text);

}  // namespace signstep
