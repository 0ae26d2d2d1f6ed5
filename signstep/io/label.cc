// SPDX-License-Identifier: Apache-2.0
#include "signstep/io/label.h"

#include <algorithm>
#include <string_view>

#include "signstep/base/error.h"
#include "signstep/base/text.h"
#include "signstep/io/json_text.h"

namespace signstep {
namespace {

// The bytes of the control character that the UTF-8 text begins with; 0 where it begins with another.
size_t control_at(std::string_view text) {
  const auto byte = [&](size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  if (byte(0) < 0x20 || byte(0) == 0x7F) return 1;
  if (byte(0) == 0xC2 && byte(1) >= 0x80 && byte(1) < 0xA0) return 2;                      // C1
  if (byte(0) == 0xE2 && byte(1) == 0x80 && byte(2) >= 0xA8 && byte(2) <= 0xAE) return 3;  // U+2028 to U+202E
  if (byte(0) == 0xE2 && byte(1) == 0x81 && byte(2) >= 0xA6 && byte(2) <= 0xA9) return 3;  // U+2066 to U+2069
  return 0;
}

bool holds_control(std::string_view text) {
  for (size_t i = 0; i < text.size(); ++i)
    if (control_at(text.substr(i)) > 0) return true;
  return false;
}

}  // namespace

std::string label_problem(const std::string& text, size_t most) {
  if (!is_utf8(text)) return "is not UTF-8; write it in UTF-8";
  if (holds_control(text)) return "holds a control character (a newline, an escape); leave it out";
  const auto length = static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
  if (length > most) return fmt::format("has {} characters; wanted at most {}", length, most);
  return "";
}

void require_label(const std::string& text, const std::string& what, size_t most) {
  const std::string problem = label_problem(text, most);
  if (!problem.empty()) throw OptionError(fmt::format("{} {}", what, problem));
}

std::string printable(const std::string& text) {
  const std::string valid = nlohmann::ordered_json::parse(json_text(text)).get<std::string>();
  std::string out;
  for (size_t i = 0; i < valid.size();) {
    const size_t control = control_at(std::string_view(valid).substr(i));
    if (control > 0) {
      out += ' ';
      i += control;
    } else {
      out += valid[i++];
    }
  }
  return out;
}

}  // namespace signstep
