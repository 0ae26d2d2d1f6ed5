// SPDX-License-Identifier: Apache-2.0
// A file for each table of the run: FILE.csv has a row an epoch, FILE-curve.csv a row a point, and so on. RFC 4180.
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

std::vector<std::string> write(const RunFiles& run, const std::string& path, bool replace) {
  const std::vector<RunTable> tables = run_tables(run.epochs);
  std::vector<std::string> files;
  for (const RunTable& table : tables) {
    std::filesystem::path file = path;
    if (!files.empty())
      file.replace_filename(fmt::format("{}-{}{}", file.stem().string(), table.name, file.extension().string()));
    files.push_back(file.string());
  }
  require_free(files, replace);
  for (size_t i = 0; i < tables.size(); ++i) write_file_atomic(files[i], csv_text(tables[i]));
  return files;
}

}  // namespace

ExportFormat csv_format() {
  return {.name = "csv",
          .help = "a row an epoch; beside it FILE-curve.csv with a row a point of the curve, and -probe and -events",
          .file = "metrics.csv",
          .course = write};
}

}  // namespace signstep
