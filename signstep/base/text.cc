// SPDX-License-Identifier: Apache-2.0
#include "signstep/base/text.h"

#include <utf8cpp/utf8.h>

namespace signstep {

std::string shell_quoted(std::string_view word) {
  constexpr std::string_view kPlain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_@%+=:,./-";
  if (!word.empty() && word.find_first_not_of(kPlain) == std::string_view::npos) return std::string(word);
  std::string quoted = "'";
  for (const char c : word) {
    if (c == '\'')
      quoted += "'\\''";  // closes, adds a quote, opens again
    else
      quoted += c;
  }
  return quoted + "'";
}

bool is_utf8(std::string_view text) { return utf8::is_valid(text.begin(), text.end()); }

}  // namespace signstep
