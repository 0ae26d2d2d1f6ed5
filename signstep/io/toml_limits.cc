// SPDX-License-Identifier: Apache-2.0
#include "signstep/io/toml_limits.h"

#include <algorithm>
#include <string_view>

#include "signstep/base/error.h"

namespace signstep {
namespace {

// The position after the string that begins at the quote at offset. One on a single line ends with the line: the parser
// stops there with an error of its own.
size_t after_string(std::string_view text, size_t offset) {
  const char quote = text[offset];
  const std::string_view mark = text.substr(offset, 3);
  const bool multiline = mark.size() == 3 && mark[1] == quote && mark[2] == quote;
  for (offset += multiline ? 3 : 1; offset < text.size(); ++offset) {
    if (text[offset] == '\\' && quote == '"') {
      ++offset;
    } else if (!multiline && (text[offset] == quote || text[offset] == '\n')) {
      return offset + 1;
    } else if (multiline && text.substr(offset, 3) == mark) {
      offset += 3;
      while (offset < text.size() && text[offset] == quote)
        ++offset;  // up to two quotes before the mark are the string's
      return offset;
    }
  }
  return text.size();
}

}  // namespace

void require_toml_limits(const std::string& text, const std::string& name) {
  if (text.size() > kTomlBytes) {
    throw OptionError(fmt::format("{} has {} bytes; wanted at most {} of settings; is it the right file?", name,
                                  text.size(), kTomlBytes));
  }
  size_t depth = 0, parts = 1, line = 1, line_begin = 0;
  const auto fail = [&](size_t at, const std::string& what) {
    throw OptionError(fmt::format("{}:{}:{}: {}; write the settings flat", name, line, at - line_begin + 1, what));
  };
  for (size_t i = 0; i < text.size(); ++i) {
    switch (text[i]) {
      case '"':
      case '\'': {
        const size_t end = after_string(text, i);
        const auto begin_at = text.begin() + static_cast<std::ptrdiff_t>(i);
        const auto end_at = text.begin() + static_cast<std::ptrdiff_t>(end);
        line += static_cast<size_t>(std::count(begin_at, end_at, '\n'));
        const size_t newline = text.rfind('\n', end - 1);
        if (newline != std::string::npos && newline >= i) line_begin = newline + 1;
        i = end - 1;
        break;
      }
      case '#': i = std::min(text.find('\n', i), text.size()) - 1; break;
      case '[':
      case '{':
        parts = 1;
        if (++depth > kTomlDepth) fail(i, fmt::format("more than {} lists and tables within each other", kTomlDepth));
        break;
      case ']':
      case '}':
        if (depth > 0) --depth;
        break;
      case '.':
        if (++parts > kTomlKeyParts) fail(i, fmt::format("a key of more than {} parts", kTomlKeyParts));
        break;
      case '\n':
        ++line;
        line_begin = i + 1;
        parts = 1;
        break;
      case '=':
      case ',': parts = 1; break;
      default: break;
    }
  }
}

}  // namespace signstep
