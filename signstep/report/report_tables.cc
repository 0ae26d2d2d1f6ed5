// SPDX-License-Identifier: Apache-2.0
#include "signstep/report/report_tables.h"

#include <cmath>
#include <map>
#include <set>

#include "signstep/base/error.h"

namespace signstep {
namespace {

// "-" where a run that diverged or has just begun has no number.
std::string number_text(double value, int digits, const char* unit = "") {
  return std::isfinite(value) ? fmt::format("{:.{}f}{}", value, digits, unit) : "-";
}

// "3", "3 of 5 (2 diverged)", "1 of 2 (1 stopped)".
std::string runs_text(const RunGroup& group, size_t counted) {
  std::map<std::string, size_t> others;
  for (const RunSummary& run : group.runs)
    if (run.record.status != RunRecord::kFinished) ++others[shown(run.record.status)];
  std::string text = std::to_string(counted);
  if (counted < group.runs.size()) text += fmt::format(" of {}", group.runs.size());
  for (const auto& [status, count] : others) text += fmt::format(" ({} {})", count, status);
  return text;
}

std::string percent_text(const MeanSd& m) {
  return m.n > 1 ? fmt::format("{:.2f} ± {:.2f} %", m.mean, m.sd) : number_text(m.mean, 2, " %");
}

}  // namespace

HtmlTable accuracy_table(const std::vector<RunGroup>& groups) {
  HtmlTable table{
      .title = "Accuracy after the last epoch",
      .header = {"method", "runs", "epochs", "test accuracy", "validation", "training loss", "time in training steps"},
      .rows = {}};
  bool several = false, left_out = false;
  for (const RunGroup& group : groups) {
    const Counted of = counted(group);
    several = several || of.runs.size() > 1;
    left_out = left_out || of.runs.size() < group.runs.size();
    table.rows.push_back({group.name, runs_text(group, of.runs.size()), shown(uint64_t{of.epochs}),
                          percent_text(last_values(group, &EpochRecord::test_accuracy)),
                          percent_text(last_values(group, &EpochRecord::validation_accuracy)),
                          number_text(last_values(group, &EpochRecord::train_loss).mean, 4),
                          number_text(last_values(group, &EpochRecord::train_seconds).mean / 60, 1, " min")});
  }
  if (several) table.notes.emplace_back("Mean ± standard deviation over seeds.");
  if (left_out)
    table.notes.emplace_back(
        "Of finished runs; where a method has none, of those that have not diverged, after the last epoch that all "
        "have.");
  return table;
}

HtmlTable facts_table(const std::vector<RunGroup>& groups) {
  HtmlTable table{.title = "Data and machine", .header = {}, .rows = {}};
  const auto add_all = [&](const char* name, const std::set<std::string>& seen) {
    for (const std::string& text : seen) table.rows.push_back({name, text});
  };
  const auto add = [&](const char* name, const auto& text_of) {
    std::set<std::string> seen;
    for (const RunGroup& group : groups)
      for (const RunSummary& run : group.runs) seen.insert(text_of(run));
    add_all(name, seen);
  };
  const auto add_sessions = [&](const char* name, const auto& text_of) {
    std::set<std::string> seen;
    for (const RunGroup& group : groups)
      for (const RunSummary& run : group.runs)
        for (const SessionRecord& session : sessions_of(run.record)) seen.insert(text_of(session));
    add_all(name, seen);
  };
  add("data set", [](const RunSummary& r) {
    const DataRecord& d = r.record.data;
    return fmt::format("{}{}: {} training, {} validation, {} test images", shown(d.dataset),
                       d.official ? " (official)" : " (not known to be official)", shown(d.train_images),
                       shown(d.validation_images), shown(d.test_images));
  });
  add("data checksum", [](const RunSummary& r) { return "sha256 " + shown(r.record.data.sha256); });
  add("network", [](const RunSummary& r) {
    const NetworkRecord& n = r.record.network;
    return fmt::format("{}, width {}, {} parameters", shown(n.name), shown(n.width), shown(n.parameters));
  });
  add_sessions("machine", [](const SessionRecord& s) { return shown(s.machine); });
  add_sessions("engine", [](const SessionRecord& s) { return shown(s.engine); });
  add_sessions("program", [](const SessionRecord& s) { return shown(s.program); });
  return table;
}

HtmlTable differences_table(const std::vector<RunGroup>& groups) {
  constexpr size_t kMostColumns = 6;
  const std::vector<OptionRow> options = differing_options(groups);
  HtmlTable table{.title = "Configuration: what differs", .header = {}, .rows = {}};
  if (groups.size() <= kMostColumns) {
    table.header = {"option"};
    for (const RunGroup& group : groups) table.header.push_back(group.name);
    for (const OptionRow& row : options) {
      table.rows.push_back({row.option});
      table.rows.back().insert(table.rows.back().end(), row.values.begin(), row.values.end());
    }
    return table;
  }
  table.header = {"method"};
  for (const OptionRow& row : options) table.header.push_back(row.option);
  for (size_t g = 0; g < groups.size(); ++g) {
    table.rows.push_back({groups[g].name});
    for (const OptionRow& row : options) table.rows.back().push_back(row.values[g]);
  }
  return table;
}

HtmlTable common_table(const std::vector<RunGroup>& groups) {
  HtmlTable table{.title = "Configuration: what is the same",
                  .header = {"option", "value"},
                  .rows = {},
                  .notes = {},
                  .folded = true};
  for (const OptionRow& row : common_options(groups))
    if (!row.values.front().empty()) table.rows.push_back({row.option, row.values.front()});
  return table;
}

HtmlTable runs_table(const std::vector<RunGroup>& groups) {
  HtmlTable table{.title = "Runs",
                  .header = {"method", "seed", "test accuracy", "epochs", "status", "started", "folder"},
                  .rows = {},
                  .notes = {},
                  .folded = true};
  for (const RunGroup& group : groups)
    for (const RunSummary& run : group.runs)
      table.rows.push_back({group.name, shown(run.record.seed), number_text(run.last().test_accuracy, 2, " %"),
                            shown(run.last().epoch), shown(run.record.status), shown(run.record.started), run.folder});
  return table;
}

HtmlTable switch_table(const std::vector<RunGroup>& groups) {
  HtmlTable table{.title = "The switch to SGD", .header = {"method", "seed", "epoch", "what happened"}, .rows = {}};
  for (const RunGroup& group : groups) {
    for (const RunSummary& run : group.runs) {
      for (const EpochRecord& epoch : run.epochs) {
        for (const RunEvent& event : epoch.course.events) {
          const double at = static_cast<double>(event.step) / run.steps_per_epoch();
          table.rows.push_back({group.name, shown(run.record.seed), fmt::format("{:.2f}", at), shown(event.text)});
        }
      }
    }
  }
  return table;
}

}  // namespace signstep
