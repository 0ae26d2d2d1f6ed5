// SPDX-License-Identifier: Apache-2.0
#include "signstep/report/report.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "signstep/base/error.h"
#include "signstep/io/atomic_file.h"
#include "signstep/io/path.h"
#include "signstep/report/run_charts.h"

namespace signstep {
namespace {

std::string percent_text(const MeanSd& m) {
  if (m.n == 0) return "-";
  return m.n > 1 ? fmt::format("{:.2f} ± {:.2f} %", m.mean, m.sd) : fmt::format("{:.2f} %", m.mean);
}

std::string minutes_text(double seconds) {
  return std::isfinite(seconds) ? fmt::format("{:.1f} min", seconds / 60) : "-";
}

HtmlTable accuracy_table(const std::vector<RunGroup>& groups) {
  HtmlTable table{
      .title = "Accuracy after the last epoch",
      .header = {"method", "runs", "epochs", "test accuracy", "validation", "training loss", "time in training steps"},
      .rows = {}};
  bool several = false;
  for (const RunGroup& group : groups) {
    several = several || group.runs.size() > 1;
    table.rows.push_back({group.name, std::to_string(group.runs.size()), fmt::format("{:.0f}", epochs_done(group)),
                          percent_text(last_values(group, &EpochRecord::test_accuracy)),
                          percent_text(last_values(group, &EpochRecord::validation_accuracy)),
                          fmt::format("{:.4f}", last_values(group, &EpochRecord::train_loss).mean),
                          minutes_text(last_values(group, &EpochRecord::train_seconds).mean)});
  }
  if (several) table.notes.emplace_back("Mean ± standard deviation over seeds.");
  return table;
}

// One line for each distinct value over all runs.
HtmlTable facts_table(const std::vector<RunGroup>& groups) {
  HtmlTable table{.title = "Data and machine", .header = {}, .rows = {}};
  const auto add = [&](const char* name, const auto& text_of) {
    std::set<std::string> seen;
    for (const RunGroup& group : groups)
      for (const RunSummary& run : group.runs) seen.insert(text_of(run));
    for (const std::string& text : seen) table.rows.push_back({name, text});
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
  add("machine", [](const RunSummary& r) { return shown(r.record.machine); });
  add("engine", [](const RunSummary& r) { return shown(r.record.engine); });
  add("program", [](const RunSummary& r) { return shown(r.record.program); });
  return table;
}

// A column for each group, or where they are many a row: pages scroll down more easily than sideways.
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
      table.rows.push_back({group.name, shown(run.record.seed), fmt::format("{:.2f} %", run.last().test_accuracy),
                            shown(run.last().epoch), shown(run.record.status), shown(run.record.started), run.folder});
  return table;
}

// Whether there is an earlier report; throws OptionError for another file in its place.
bool earlier_report(const std::string& path) {
  if (!path_exists(path)) return false;
  if (is_our_page(read_text_file(path, size_t{1} << 30))) return true;
  throw OptionError(fmt::format("{} exists and is no report of signstep; choose another folder with --output", path));
}

// The curves as HTML, and an SVG file of each.
std::string curves(const std::vector<RunGroup>& groups, const std::string& folder, ReportResult& result) {
  const Figures figures =
      write_figures(run_charts(drawn_groups(groups)), {.folder = folder, .declared = true, .earlier = chart_files()});
  result.charts = figures.drawn.size();
  result.problem = figures.problem;
  std::string html;
  for (const Figure& f : figures.drawn) {
    html += fmt::format("<figure id=\"{}\">\n{}<figcaption>{}</figcaption>\n</figure>\n", f.file, f.svg,
                        html_escaped(f.caption));
  }
  if (!result.problem.empty())
    return html + fmt::format("<p class=\"warning\">Tables only: {}.</p>\n", html_escaped(result.problem));
  if (groups.size() > kMostCurves) {
    html = fmt::format(
               "<p class=\"note\">Curves are of the {} methods of {} with the highest test accuracy; the tables have "
               "all.</p>\n",
               kMostCurves, groups.size()) +
           html;
  }
  return html;
}

}  // namespace

std::vector<std::string> comparison_warnings(const std::vector<RunGroup>& groups) {
  std::set<std::string> data, programs, engines, epochs;
  std::vector<std::string> warnings;
  for (const RunGroup& group : groups) {
    std::map<std::string, std::string> folder_of_seed;
    for (const RunSummary& run : group.runs) {
      const auto [first, added] = folder_of_seed.try_emplace(shown(run.record.seed), run.folder);
      if (!added) {
        warnings.push_back(fmt::format("{} and {} have the same settings and the same seed {}: they are not two seeds",
                                       first->second, run.folder, first->first));
      }
      data.insert(shown(run.record.data.sha256));
      programs.insert(shown(run.record.program.commit));
      engines.insert(shown(run.record.engine));
      epochs.insert(shown(run.last().epoch));
      if (run.record.status != RunRecord::kFinished)
        warnings.push_back(fmt::format("{} is not finished: status {}, {} epochs", run.folder, shown(run.record.status),
                                       shown(run.last().epoch)));
    }
  }
  const auto differ = [&](const std::set<std::string>& seen, const char* what) {
    if (seen.size() > 1) warnings.push_back(fmt::format("The runs differ in {}: {}", what, fmt::join(seen, "; ")));
  };
  differ(data, "the images (data checksum)");
  differ(programs, "the program's commit");
  differ(engines, "the engine");
  differ(epochs, "the number of epochs");
  return warnings;
}

ReportResult write_report(const ReportContent& content, const std::string& folder) {
  ReportResult result{.path = folder + "/report.html", .charts = 0, .problem = "", .replaced = false};
  result.replaced = earlier_report(result.path);
  make_folders(folder);
  std::string body = fmt::format("<h1>{}</h1>\n", html_escaped(content.title));
  for (const std::string& paragraph : content.lead) body += fmt::format("<p>{}</p>\n", html_escaped(paragraph));
  for (const std::string& warning : content.warnings)
    body += fmt::format("<p class=\"warning\">{}</p>\n", html_escaped(warning));
  if (content.tables.empty()) body += html_table(accuracy_table(content.groups));
  for (const HtmlTable& table : content.tables) body += html_table(table);
  body += "<h2>Curves</h2>\n" + curves(content.groups, folder, result);
  if (content.groups.size() > 1) body += html_table(differences_table(content.groups));
  body += html_table(common_table(content.groups));
  body += html_table(facts_table(content.groups));
  body += html_table(runs_table(content.groups));
  write_file_atomic(result.path, html_page(content.title, body));
  return result;
}

}  // namespace signstep
