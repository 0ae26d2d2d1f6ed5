// SPDX-License-Identifier: Apache-2.0
// Names, titles and notes that people give: they stand in terminals, tables, pages and folder names.
#pragma once

#include <cstddef>
#include <string>

namespace signstep {

// Characters, not bytes.
inline constexpr size_t kNameLength = 100, kTitleLength = 200, kNoteLength = 1000;

// What is wrong with a label, such as "holds a control character (a newline, an escape); leave it out"; "" where it is
// one line of UTF-8 with at most that many characters. Control characters are those of C0 and C1, line and paragraph
// separators, and marks that turn the writing direction.
std::string label_problem(const std::string& text, size_t most);

// Throws OptionError "WHAT PROBLEM".
void require_label(const std::string& text, const std::string& what, size_t most);

// Text out of a file as it may be shown: each control character becomes a space, each byte that is no UTF-8 U+FFFD.
std::string printable(const std::string& text);

}  // namespace signstep
