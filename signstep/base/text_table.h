// SPDX-License-Identifier: Apache-2.0
// Tables of text, for terminals and spreadsheets.
#pragma once

#include <string>
#include <vector>

namespace signstep {

struct TextTable {
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;  // each as long as the header
};

// Columns as wide as their widest cell, two spaces between them. rule: a line of dashes under the header.
std::string aligned(const TextTable& table, bool rule = true);

// A cell of a CSV file, quoted where CSV wants it (RFC 4180). Text that a spreadsheet would take for a formula gets an
// apostrophe before it; numbers do not come this way.
std::string csv_cell(const std::string& text);

}  // namespace signstep
