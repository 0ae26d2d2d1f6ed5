// SPDX-License-Identifier: Apache-2.0
#include "signstep/experiment/comparison_files.h"

#include <cctype>
#include <cmath>
#include <nlohmann/json.hpp>

#include "signstep/base/error.h"
#include "signstep/experiment/comparison_table.h"
#include "signstep/runs/epoch_record.h"

namespace signstep {
namespace {

using nlohmann::ordered_json;

std::string csv_number(double value) { return std::isfinite(value) ? fmt::format("{}", value) : ""; }

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; }

// Shown as it is: no cell's end, no HTML, no emphasis, no link.
std::string markdown_escaped(const std::string& text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    switch (text[i]) {
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '&': out += "&amp;"; break;
      case '|':
      case '`':
      case '*':
      case '~':
      case '\\':
        out += '\\';
        out += text[i];
        break;
      case '_':  // within a word it is none of Markdown's
        if (i == 0 || i + 1 == text.size() || !is_word(text[i - 1]) || !is_word(text[i + 1])) out += '\\';
        out += '_';
        break;
      case '(':
        if (i > 0 && text[i - 1] == ']') out += '\\';
        [[fallthrough]];
      default: out += text[i];
    }
  }
  return out;
}

// Fenced by more backticks than stand in it.
std::string markdown_code(const std::string& text) {
  std::string fence = "`";
  while (text.find(fence) != std::string::npos) fence += '`';
  return fence.size() == 1 ? fence + text + fence : fmt::format("{} {} {}", fence, text, fence);
}

ordered_json number(double value) { return std::isfinite(value) ? ordered_json(value) : ordered_json(); }

ordered_json settings_json(const Settings& settings) {
  ordered_json out = ordered_json::object();
  for (const auto& [option, value] : settings) out[option] = value;
  return out;
}

const char* status_name(RunStatus status) {
  switch (status) {
    case RunStatus::kAbsent: return "absent";
    case RunStatus::kPartial: return "partial";
    case RunStatus::kFinished: return "finished";
    case RunStatus::kDiverged: return "diverged";
    case RunStatus::kDamaged: return "damaged";
  }
  return "";
}

// table.json calls them as the runs' own files do.
const char* const kAccuracy = key_of(&EpochRecord::test_accuracy);
const char* const kSeconds = key_of(&EpochRecord::train_seconds);

ordered_json row_json(const ComparisonRow& row, const std::vector<ComparisonRow>& rows) {
  ordered_json out = {{"method", row.name}, {"paper", row.paper ? ordered_json(*row.paper) : ordered_json()}};
  out["chosen"] = row.chosen ? settings_json(row.chosen_settings) : ordered_json();
  out["at_grid_edge"] = row.edges;
  out[kAccuracy] = {{"mean", number(row.accuracy.mean)},
                    {"sd", number(row.accuracy.sd)},
                    {"runs", row.accuracy.n},
                    {"diverged", row.diverged}};
  out[kSeconds] = {{"mean", number(row.seconds.mean)}, {"sd", number(row.seconds.sd)}};
  if (row.sent_bytes.n > 0) out["wire"] = {{"sent", row.sent_bytes.mean}, {"float32", row.float32_bytes.mean}};
  if (const auto& d = row.versus_baseline) {
    out["difference"] = {{"to", rows[row.baseline].name}, {"pairs", d->n},           {"mean", number(d->mean)},
                         {"low", number(d->low)},         {"high", number(d->high)}, {"p", number(d->p)},
                         {"holm_p", number(d->holm_p)}};
  }
  out["trials"] = ordered_json::array();
  for (const TrialResult& t : row.trials) {
    out["trials"].push_back({{"settings", settings_json(t.settings)},
                             {key_of(&EpochRecord::validation_accuracy), number(t.validation.mean)},
                             {"sd", number(t.validation.sd)},
                             {"done", t.done},
                             {"diverged", t.diverged}});
  }
  out["runs"] = ordered_json::array();
  for (const RunResult& r : row.runs) {
    out["runs"].push_back({{"seed", r.seed},
                           {"folder", r.folder},
                           {"status", status_name(r.state.status)},
                           {kAccuracy, number(r.state.test_accuracy)},
                           {kSeconds, number(r.state.train_seconds)}});
  }
  return out;
}

}  // namespace

std::string markdown_text(const Comparison& c, const std::string& command) {
  const TextTable table = comparison_table(c);
  std::string out = fmt::format("## {}\n\n{}\n\n", markdown_escaped(c.plan.experiment.title), markdown_code(command));
  const auto line = [&](const std::vector<std::string>& cells) {
    out += "|";
    for (const std::string& cell : cells) out += fmt::format(" {} |", markdown_escaped(cell));
    out += "\n";
  };
  line(table.header);
  line(std::vector<std::string>(table.header.size(), "---"));
  for (const auto& row : table.rows) line(row);
  out += "\n";
  for (const std::string& note : comparison_notes(c)) out += fmt::format("- {}\n", markdown_escaped(note));
  return out;
}

std::string csv_text(const Comparison& c) {
  std::string out =
      "method,chosen,at_grid_edge,runs,planned_runs,diverged,test_accuracy,sd,baseline,pairs,difference,low,high,p,"
      "holm_p,paper,sent_bytes,float32_bytes,train_seconds\n";
  for (const ComparisonRow& row : c.rows) {
    const auto& d = row.versus_baseline;
    const std::vector<std::string> cells = {csv_cell(row.name),
                                            csv_cell(settings_text(row.chosen_settings)),
                                            csv_cell(fmt::format("{}", fmt::join(row.edges, "; "))),
                                            std::to_string(row.accuracy.n),
                                            std::to_string(c.plan.experiment.seeds.size()),
                                            std::to_string(row.diverged),
                                            csv_number(row.accuracy.mean),
                                            csv_number(row.accuracy.sd),
                                            d ? csv_cell(c.rows[row.baseline].name) : "",
                                            d ? std::to_string(d->n) : "",
                                            d ? csv_number(d->mean) : "",
                                            d ? csv_number(d->low) : "",
                                            d ? csv_number(d->high) : "",
                                            d ? csv_number(d->p) : "",
                                            d ? csv_number(d->holm_p) : "",
                                            row.paper ? csv_number(*row.paper) : "",
                                            csv_number(row.sent_bytes.mean),
                                            csv_number(row.float32_bytes.mean),
                                            csv_number(row.seconds.mean)};
    out += fmt::format("{}\n", fmt::join(cells, ","));
  }
  return out;
}

std::string json_text(const Comparison& c) {
  const Experiment& e = c.plan.experiment;
  ordered_json out = {{"schema_version", 1},
                      {"experiment", e.name},
                      {"title", e.title},
                      {"baseline", e.baseline},
                      {"seeds", e.seeds},
                      {"tuning_seeds", e.tuning_seeds},
                      {"runs_done", c.runs_done},
                      {"runs_planned", c.runs_planned},
                      {"runs_damaged", c.damaged.size()},
                      {"data", c.data},
                      {"machines", c.machines},
                      {"engines", c.engines},
                      {"programs", c.programs},
                      {"not_alike", c.not_alike},
                      {"notes", comparison_notes(c)}};
  out["rows"] = ordered_json::array();
  for (const ComparisonRow& row : c.rows) out["rows"].push_back(row_json(row, c.rows));
  return out.dump(2) + "\n";
}

}  // namespace signstep
