// SPDX-License-Identifier: Apache-2.0
// JSON lines: one object a line, appended as it happens.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace signstep {

// NaN and infinity, which JSON lacks, become null; bytes that are not UTF-8 become U+FFFD. What a crash left of a line
// at the end of the file is dropped first. Throws EnvironmentError when the line cannot be written whole. One writer.
void append_json_line(const std::string& path, const nlohmann::ordered_json& object);

// Replaces the file by these records, atomically.
void write_json_lines(const std::string& path, const std::vector<nlohmann::ordered_json>& records);

// The records of a file; a last line cut short by a crash is left out. Throws DataError for any other malformed line,
// or one beyond the limits of json_text.h.
std::vector<nlohmann::ordered_json> read_json_lines(const std::string& path);

}  // namespace signstep
