// SPDX-License-Identifier: Apache-2.0
#include "signstep/base/number.h"

#include <algorithm>
#include <charconv>
#include <string>

namespace signstep {
namespace {

// An underscore between two digits goes. Anything else is left for the parser to refuse.
std::string without_separators(std::string_view text) {
  const auto digit = [&](size_t i) { return i < text.size() && text[i] >= '0' && text[i] <= '9'; };
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i)
    if (text[i] != '_' || i == 0 || !digit(i - 1) || !digit(i + 1)) plain += text[i];
  return plain;
}

template <class T>
std::optional<T> parse(std::string_view written) {
  const std::string plain = without_separators(written);
  std::string_view text = plain;
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.starts_with('-')) return std::nullopt;
  }
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

}  // namespace

std::optional<int64_t> parse_integer(std::string_view text) { return parse<int64_t>(text); }

std::optional<double> parse_number(std::string_view text) { return parse<double>(text); }

template <class T>
std::optional<std::vector<T>> parse_list(std::string_view text) {
  std::vector<T> out;
  if (trimmed(text).empty()) return out;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t comma = std::min(text.find(',', begin), text.size());
    const auto value = parse<T>(trimmed(text.substr(begin, comma - begin)));
    if (!value) return std::nullopt;
    out.push_back(*value);
    begin = comma + 1;
  }
  return out;
}
template std::optional<std::vector<int64_t>> parse_list(std::string_view);
template std::optional<std::vector<double>> parse_list(std::string_view);

}  // namespace signstep
