// SPDX-License-Identifier: Apache-2.0
#include "signstep/base/text_table.h"

#include <algorithm>

namespace signstep {
namespace {

// Characters, not bytes.
size_t width_of(const std::string& text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

}  // namespace

std::string aligned(const TextTable& table, bool rule) {
  std::vector<size_t> widths;
  for (const std::string& cell : table.header) widths.push_back(width_of(cell));
  for (const auto& row : table.rows)
    for (size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], width_of(row[c]));
  std::string out;
  const auto line = [&](const std::vector<std::string>& cells) {
    for (size_t c = 0; c < cells.size(); ++c) {
      out += cells[c];
      out += c + 1 < cells.size() ? std::string(widths[c] - width_of(cells[c]) + 2, ' ') : "\n";
    }
  };
  line(table.header);
  if (rule) {
    size_t total = 2 * (widths.size() - 1);
    for (const size_t w : widths) total += w;
    out += std::string(total, '-') + "\n";
  }
  for (const auto& row : table.rows) line(row);
  return out;
}

std::string csv_cell(const std::string& text) {
  const std::string safe = (text.find_first_of("=+-@") == 0 ? "'" : "") + text;
  if (safe.find_first_of(",\"\n") == std::string::npos) return safe;
  std::string out = "\"";
  for (const char c : safe) out += c == '"' ? "\"\"" : std::string(1, c);
  return out + "\"";
}

}  // namespace signstep
