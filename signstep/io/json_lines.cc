// SPDX-License-Identifier: Apache-2.0
#include "signstep/io/json_lines.h"

#include <filesystem>
#include <fstream>

#include "signstep/base/error.h"
#include "signstep/io/atomic_file.h"
#include "signstep/io/json_text.h"
#include "signstep/io/path.h"

namespace signstep {
namespace {

// A line that a crash or a full disk cut short is no record, and the next one must not join it. What cannot be read is
// left alone: the next reader says so.
void drop_half_line(const std::string& path) {
  if (!path_exists(path) || is_folder(path)) return;
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  const std::streamoff size = file ? static_cast<std::streamoff>(file.tellg()) : 0;
  std::streamoff end = size;
  for (char c = 0; end > 0; --end) {
    if (!file.seekg(end - 1) || !file.get(c)) return;
    if (c == '\n') break;
  }
  if (end == size) return;
  std::error_code error;
  std::filesystem::resize_file(path, static_cast<uintmax_t>(end), error);
  if (error)
    throw EnvironmentError(
        fmt::format("cannot remove the half line at the end of {}: {}; remove it by hand", path, error.message()));
}

}  // namespace

void append_json_line(const std::string& path, const nlohmann::ordered_json& object) {
  drop_half_line(path);
  std::ofstream file(path, std::ios::app);
  file << json_text(object) + "\n" << std::flush;
  if (!file) throw_errno("append to", path, "check the folder's permissions and the free space");
}

void write_json_lines(const std::string& path, const std::vector<nlohmann::ordered_json>& records) {
  std::string text;
  for (const auto& record : records) text += json_text(record) + "\n";
  write_file_atomic(path, text);
}

std::vector<nlohmann::ordered_json> read_json_lines(const std::string& path) {
  const std::string text = read_text_file(path, size_t{1} << 32);
  std::vector<nlohmann::ordered_json> records;
  size_t line = 0;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = text.find('\n', begin);
    if (end == std::string::npos) break;
    ++line;
    try {
      records.push_back(parse_json(std::string_view(text).substr(begin, end - begin), path, {}, line));
    } catch (const DataError& e) {
      throw DataError(fmt::format("{} If so, remove that line", e.what()));
    }
    if (!records.back().is_object()) {
      throw DataError(fmt::format("{}:{}: not a JSON object; the file was damaged: remove that line", path, line));
    }
    begin = end + 1;
  }
  return records;
}

}  // namespace signstep
