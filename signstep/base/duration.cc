// SPDX-License-Identifier: Apache-2.0
#include "signstep/base/duration.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <cstdint>
#include <utility>

namespace signstep {
namespace {

constexpr double kLongest = 1e10;  // seconds, three centuries; beyond it whole seconds would not fit every format

}  // namespace

std::optional<double> parse_duration(std::string_view text) {
  if (text.empty()) return std::nullopt;
  double total = 0;
  while (!text.empty()) {
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
    if (error != std::errc{} || !std::isfinite(value) || value < 0) return std::nullopt;
    text.remove_prefix(static_cast<size_t>(end - text.data()));
    double unit = 1;
    if (!text.empty()) {
      switch (text.front()) {
        case 's': unit = 1; break;
        case 'm': unit = 60; break;
        case 'h': unit = 3600; break;
        case 'd': unit = 86400; break;
        default: return std::nullopt;
      }
      text.remove_prefix(1);
    }
    total += value * unit;
  }
  return total <= kLongest ? std::optional(total) : std::nullopt;
}

std::string format_duration(double seconds) {
  if (!(seconds >= 60 && seconds <= kLongest && seconds == std::floor(seconds))) {
    char text[400];  // the smallest double has 326 digits after the point, the largest 309 before it
    const auto [end, error] = std::to_chars(text, text + sizeof text, seconds, std::chars_format::fixed);
    return std::string(text, end) + "s";
  }
  std::string text;
  auto rest = static_cast<int64_t>(seconds);
  for (const auto& [length, unit] : {std::pair{int64_t{86400}, 'd'}, {int64_t{3600}, 'h'}, {int64_t{60}, 'm'}}) {
    if (rest >= length) text += fmt::format("{}{}", rest / length, unit);
    rest %= length;
  }
  if (rest > 0) text += fmt::format("{}s", rest);
  return text;
}

}  // namespace signstep
