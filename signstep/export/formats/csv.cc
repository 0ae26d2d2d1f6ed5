// SPDX-License-Identifier: Apache-2.0
// A file for each table of the run: FILE.csv has a row an epoch, FILE-curve.csv a row a point, and so on. RFC 4180.
#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "signstep/base/error.h"
#include "signstep/base/text_table.h"
#include "signstep/export/formats/formats.h"
#include "signstep/export/run_tables.h"
#include "signstep/io/atomic_file.h"
#include "signstep/io/json_text.h"

namespace signstep {
namespace {

std::string cell(const nlohmann::ordered_json& value) {
  if (value.is_null()) return "";
  return value.is_string() ? csv_cell(value.get<std::string>()) : json_text(value);
}

std::string csv_text(const RunTable& table) {
  std::string text = fmt::format("{}\n", fmt::join(table.columns, ","));
  for (const auto& row : table.rows) {
    std::vector<std::string> cells;
    for (const auto& value : row) cells.push_back(cell(value));
    text += fmt::format("{}\n", fmt::join(cells, ","));
  }
  return text;
}

std::string file_of(const std::string& path, const std::string& table) {
  std::filesystem::path file = path;
  if (table != kRunTables[0])
    file.replace_filename(fmt::format("{}-{}{}", file.stem().string(), table, file.extension().string()));
  return file.string();
}

// Tables that this run has not and an earlier one had are removed: beside the new ones they would pass for its own.
std::vector<std::string> write(const RunFiles& run, const std::string& path, bool replace) {
  std::vector<std::string> all, written;
  for (const char* table : kRunTables) all.push_back(file_of(path, table));
  require_free(all, replace);
  for (const RunTable& table : run_tables(run.epochs)) {
    written.push_back(file_of(path, table.name));
    write_file_atomic(written.back(), csv_text(table));
  }
  for (const std::string& file : all) {
    std::error_code error;
    if (std::find(written.begin(), written.end(), file) == written.end()) std::filesystem::remove(file, error);
    if (error) {
      errno = error.value();
      throw_errno("remove", file, "it is of another run: check the folder's permissions");
    }
  }
  return written;
}

}  // namespace

ExportFormat csv_format() {
  return {.name = "csv",
          .help = "a row an epoch; beside it FILE-curve.csv with a row a point of the curve, and -probe and -events",
          .file = "metrics.csv",
          .course = write};
}

}  // namespace signstep
