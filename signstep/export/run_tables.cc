// SPDX-License-Identifier: Apache-2.0
#include "signstep/export/run_tables.h"

#include <algorithm>

namespace signstep {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char *kEpoch = "epoch", *kStep = "step";

size_t column(RunTable& table, const std::string& name) {
  const auto found = std::find(table.columns.begin(), table.columns.end(), name);
  if (found != table.columns.end()) return static_cast<size_t>(found - table.columns.begin());
  table.columns.push_back(name);
  return table.columns.size() - 1;
}

void set_cell(RunTable& table, std::vector<Json>& row, const std::string& name, Json value) {
  const size_t at = column(table, name);
  if (row.size() <= at) row.resize(at + 1);
  row[at] = std::move(value);
}

// What an object says itself, what objects within it say under both names, no lists.
void set_cells(RunTable& table, std::vector<Json>& row, const std::string& prefix, const Json& object) {
  for (const auto& [key, value] : object.items()) {
    if (!value.is_structured())
      set_cell(table, row, prefix + key, value);
    else if (value.is_object() && !value.contains(kStep))  // arrays side by side are tables of their own
      set_cells(table, row, prefix + key + "_", value);
  }
}

void add_object(RunTable& table, uint64_t epoch, const Json& object) {
  std::vector<Json> row;
  set_cell(table, row, kEpoch, epoch);
  set_cell(table, row, kStep, nullptr);
  set_cells(table, row, "", object);
  table.rows.push_back(std::move(row));
}

// Rows of arrays side by side, as many as there are steps.
void add_arrays(RunTable& table, uint64_t epoch, const Json& arrays) {
  for (size_t i = 0; i < arrays.at(kStep).size(); ++i) {
    std::vector<Json> row;
    set_cell(table, row, kEpoch, epoch);
    for (const auto& [key, values] : arrays.items()) set_cell(table, row, key, i < values.size() ? values[i] : Json());
    table.rows.push_back(std::move(row));
  }
}

}  // namespace

std::vector<RunTable> run_tables(const std::vector<EpochRecord>& epochs) {
  RunTable whole{"epoch", {}, {}}, curve{"curve", {}, {}}, probe{"probe", {}, {}}, events{"events", {}, {}};
  for (const EpochRecord& record : epochs) {
    add_object(whole, record.epoch, fields_json(record));
    add_arrays(curve, record.epoch, fields_json(record.course.curve));
    add_arrays(probe, record.epoch, fields_json(record.course.probe));
    for (const RunEvent& event : record.course.events) add_object(events, record.epoch, fields_json(event));
  }
  std::vector<RunTable> tables;
  for (RunTable* table : {&whole, &curve, &probe, &events}) {
    if (table->rows.empty()) continue;
    for (std::vector<Json>& row : table->rows) row.resize(table->columns.size());
    tables.push_back(std::move(*table));
  }
  return tables;
}

}  // namespace signstep
