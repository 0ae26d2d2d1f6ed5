// SPDX-License-Identifier: Apache-2.0
// What standard output can show of work under way.
#pragma once

#include <cstddef>
#include <string>

namespace signstep::cli {

bool can_draw();            // a terminal that understands escapes
size_t terminal_columns();  // 80 where it is not known

// At most so many bytes; a UTF-8 character that the cut would split goes whole.
std::string cut(const std::string& text, size_t bytes);

// Written and flushed. A failure ends nothing here: training is worth more than its progress line, and main says at the
// end that standard output failed.
void put(const std::string& text);
// A line drawn over the last one; nothing erases it.
void put_over(const std::string& text);

}  // namespace signstep::cli
