// SPDX-License-Identifier: Apache-2.0
// signstep list: the runs below a folder as a table.
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "cli/command_tree.h"
#include "cli/commands.h"
#include "cli/complain.h"
#include "cli/exit_code.h"
#include "signstep/base/error.h"
#include "signstep/base/option.h"
#include "signstep/base/text_table.h"
#include "signstep/io/json_text.h"
#include "signstep/io/label.h"
#include "signstep/runs/run_list.h"
#include "signstep/runs/run_summary.h"

namespace signstep::cli {
namespace {

struct ListCommand {
  std::vector<std::string> folders;
  std::string sort = "folder";
  bool reverse = false, json = false, csv = false;
};

// One column: how it is called, shown and compared. Numbers that a run does not say come last.
struct Column {
  std::string name;
  std::function<nlohmann::ordered_json(const RunRow&)> value;  // null: not said
  std::function<std::string(const RunRow&)> text;              // for people
};

nlohmann::ordered_json number(double value) { return std::isfinite(value) ? nlohmann::ordered_json(value) : nullptr; }
nlohmann::ordered_json number(const std::optional<uint64_t>& value) {
  return value ? nlohmann::ordered_json(*value) : nullptr;
}
std::string percent_text(double value) { return std::isfinite(value) ? fmt::format("{:.2f}", value) : "-"; }

Column text_column(const std::string& name, std::string RunRow::*field) {
  return {name, [=](const RunRow& r) { return nlohmann::ordered_json(printable(r.*field)); },
          [=](const RunRow& r) { return shown(r.*field); }};
}

const std::vector<Column>& columns() {
  static const std::vector<Column> all = {
      text_column("folder", &RunRow::folder),
      text_column("method", &RunRow::method),
      text_column("dataset", &RunRow::dataset),
      text_column("network", &RunRow::network),
      {"rate", [](const RunRow& r) { return number(r.learning_rate); },
       [](const RunRow& r) { return std::isfinite(r.learning_rate) ? fmt::format("{:g}", r.learning_rate) : "-"; }},
      text_column("dither", &RunRow::dither),
      text_column("switch", &RunRow::switching),
      {"seed", [](const RunRow& r) { return number(r.seed); }, [](const RunRow& r) { return shown(r.seed); }},
      {"epochs", [](const RunRow& r) { return number(r.epochs); },
       [](const RunRow& r) {
         return r.epochs == r.wanted_epochs ? shown(r.epochs) : shown(r.epochs) + "/" + shown(r.wanted_epochs);
       }},
      {"validation", [](const RunRow& r) { return number(r.validation_accuracy); },
       [](const RunRow& r) { return percent_text(r.validation_accuracy); }},
      {"test", [](const RunRow& r) { return number(r.test_accuracy); },
       [](const RunRow& r) { return percent_text(r.test_accuracy); }},
      text_column("status", &RunRow::status),
      {"date", [](const RunRow& r) { return nlohmann::ordered_json(printable(r.started)); },
       [](const RunRow& r) {
         std::string date = shown(r.started).substr(0, 16);  // "2026-01-02T03:04"
         std::replace(date.begin(), date.end(), 'T', ' ');
         return date;
       }},
  };
  return all;
}

std::vector<std::string> column_names() {
  std::vector<std::string> names;
  for (const Column& c : columns()) names.push_back(c.name);
  return names;
}

const Column& column(const std::string& name) {
  for (const Column& c : columns())
    if (c.name == name) return c;
  const std::string near = nearest_name(name, column_names());
  throw OptionError(fmt::format("--sort is '{}'; wanted one of {}{}", name, fmt::join(column_names(), ", "),
                                near.empty() ? "" : fmt::format("; did you mean {}?", near)));
}

// What a run does not say comes last, in either direction.
void sort_rows(std::vector<RunRow>& rows, const Column& by, bool reverse) {
  const nlohmann::ordered_json nothing = "";
  const auto said = [&](const nlohmann::ordered_json& v) { return !v.is_null() && v != nothing; };
  std::stable_sort(rows.begin(), rows.end(), [&](const RunRow& a, const RunRow& b) {
    const nlohmann::ordered_json x = by.value(a), y = by.value(b);
    if (!said(x) || !said(y)) return said(x) && !said(y);
    return reverse ? y < x : x < y;
  });
}

void print_table(const std::vector<RunRow>& rows) {
  TextTable table;
  table.rows.resize(rows.size());
  for (const Column& c : columns()) {
    std::vector<std::string> cells;
    for (const RunRow& row : rows) cells.push_back(c.text(row));
    // A column in which nobody says anything tells nothing.
    if (std::all_of(cells.begin(), cells.end(), [](const std::string& cell) { return cell == "-"; })) continue;
    table.header.push_back(c.name);
    for (size_t i = 0; i < rows.size(); ++i) table.rows[i].push_back(cells[i]);
  }
  fmt::print("{}", aligned(table, false));
}

void print_csv(const std::vector<RunRow>& rows) {
  fmt::print("{}\n", fmt::join(column_names(), ","));
  for (const RunRow& row : rows) {
    std::vector<std::string> cells;
    for (const Column& c : columns()) {
      const nlohmann::ordered_json value = c.value(row);
      cells.push_back(value.is_null() ? "" : value.is_string() ? csv_cell(value.get<std::string>()) : value.dump());
    }
    fmt::print("{}\n", fmt::join(cells, ","));
  }
}

void print_json(const std::vector<RunRow>& rows) {
  nlohmann::ordered_json out = nlohmann::ordered_json::array();
  for (const RunRow& row : rows) {
    nlohmann::ordered_json object;
    for (const Column& c : columns()) object[c.name] = c.value(row);
    object["wanted_epochs"] = number(row.wanted_epochs);
    if (!row.problem.empty()) object["problem"] = printable(row.problem);
    out.push_back(std::move(object));
  }
  fmt::print("{}\n", json_text(out));
}

int run_list(ListCommand& c) {
  if (c.json && c.csv) throw OptionError("--json and --csv are both given; choose one");
  const Column& by = column(c.sort);
  if (c.folders.empty()) c.folders = {"runs"};
  std::vector<RunRow> rows;
  for (const std::string& folder : c.folders)
    for (const std::string& run : find_runs(folder)) rows.push_back(read_row(run));
  sort_rows(rows, by, c.reverse);
  if (c.json)
    print_json(rows);
  else if (c.csv)
    print_csv(rows);
  else if (rows.empty())
    fmt::print("no runs in {}\n", fmt::join(c.folders, ", "));
  else
    print_table(rows);
  bool damaged = false;
  for (const RunRow& row : rows) {
    if (row.problem.empty()) continue;
    damaged = true;
    complain(row.problem);
  }
  return damaged ? exit_code(ErrorKind::kData) : 0;
}

}  // namespace

void add_list(CLI::App& app, Run& run) {
  auto command = std::make_shared<ListCommand>();
  CLI::App* sub = app.add_subcommand("list", "The runs below a folder as a table");
  sub->add_option("FOLDER", command->folders, "folders of runs, searched to any depth; default: runs");
  CLI::Option* sort =
      sub->add_option("--sort", command->sort, fmt::format("column: {}", fmt::join(column_names(), ", ")));
  sort->type_name("TEXT")->capture_default_str();
  offer(sort, column_names());
  sub->add_flag("--reverse", command->reverse, "the highest first");
  sub->add_flag("--json", command->json, "print a JSON list of objects");
  sub->add_flag("--csv", command->csv, "print comma-separated values");
  sub->footer(
      "Accuracies are those of the last finished epoch, in percent. Example: signstep list --sort test --reverse");
  sub->callback([command, &run] { run = [command] { return run_list(*command); }; });
}

}  // namespace signstep::cli
