// SPDX-License-Identifier: Apache-2.0
#include "signstep/report/report.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "signstep/base/error.h"
#include "signstep/io/atomic_file.h"
#include "signstep/io/checksum.h"
#include "signstep/io/path.h"
#include "signstep/report/confusion_html.h"
#include "signstep/report/page.h"
#include "signstep/report/report_tables.h"
#include "signstep/report/run_charts.h"

namespace signstep {
namespace {

// The charts as HTML, and an SVG file of each.
FigureHtml curves(const ReportContent& content, const std::string& folder, bool ours, ReportResult& result) {
  const std::vector<RunGroup>& groups = content.groups;
  std::vector<NamedChart> charts = content.charts;
  const std::vector<NamedChart> of_runs = run_charts(drawn_groups(groups));
  charts.insert(charts.end(), of_runs.begin(), of_runs.end());
  std::vector<std::string> earlier = chart_files();
  for (const NamedChart& c : content.charts) earlier.push_back(c.file);
  const Figures figures = write_figures(charts, {.folder = folder, .earlier = earlier, .ours = ours});
  result.charts = figures.pictures();
  result.problem = figures.problem;
  FigureHtml html = figures_html(figures);
  if (!result.problem.empty()) {
    html.body +=
        fmt::format("<p class=\"warning\">{}: {}.</p>\n",
                    html.body.empty() ? "Tables only" : "Without pictures for print", html_escaped(result.problem));
  } else if (groups.size() > kMostCurves) {
    html.body = fmt::format(
                    "<p class=\"note\">Curves are of the {} methods of {} with the highest test accuracy; the tables "
                    "have all.</p>\n",
                    kMostCurves, groups.size()) +
                html.body;
  }
  return html;
}

// Links to the pages that signstep analyze left in the runs' folders.
std::string analyses(const std::vector<RunGroup>& groups, const std::string& folder) {
  namespace fs = std::filesystem;
  std::string items;
  for (const RunGroup& group : groups) {
    for (const RunSummary& run : group.runs) {
      std::vector<fs::path> pages;
      std::error_code error;
      for (fs::directory_iterator at(run.folder + "/analysis", error), end; !error && at != end; at.increment(error))
        if (fs::exists(at->path() / kAnalysisPage, error)) pages.push_back(at->path() / kAnalysisPage);
      std::sort(pages.begin(), pages.end());
      for (const fs::path& page : pages) {
        const fs::path link = fs::proximate(page, folder, error);
        items += fmt::format("<li><a href=\"{}\">{}, seed {}: {}</a></li>\n", url_escaped(link.string()),
                             html_escaped(group.name), shown(run.record.seed),
                             html_escaped(page.parent_path().filename().string()));
      }
    }
  }
  return items.empty() ? "" : fmt::format("<h2>Signal and noise of the gradients</h2>\n<ul>\n{}</ul>\n", items);
}

// Which runs a page is of, for who writes the next one there: a comment in it.
std::string mark_of(const std::vector<RunGroup>& groups) {
  std::set<std::string> folders;
  std::string all;
  std::error_code error;
  for (const RunGroup& group : groups)
    for (const RunSummary& run : group.runs) {
      const auto whole = std::filesystem::weakly_canonical(run.folder, error);
      folders.insert(error ? run.folder : whole.string());
    }
  for (const std::string& folder : folders) all += folder + '\n';
  return fmt::format("<!-- of runs {} -->\n", sha256_hex(std::as_bytes(std::span(all))));
}

}  // namespace

bool is_report_of(const std::string& folder, const std::vector<RunGroup>& groups) {
  const std::string path = folder + "/report.html";
  return path_exists(path) && read_text_file(path, kLargestPage).find(mark_of(groups)) != std::string::npos;
}

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
      for (const SessionRecord& session : sessions_of(run.record)) {
        programs.insert(shown(session.program.commit));
        engines.insert(shown(session.engine));
      }
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
  const bool ours = earlier_page(result.path);
  result.replaced = ours && !is_report_of(folder, content.groups);
  make_folders(folder);
  std::string body = mark_of(content.groups) + fmt::format("<h1>{}</h1>\n", html_escaped(content.title));
  for (const std::string& paragraph : content.lead) body += fmt::format("<p>{}</p>\n", html_escaped(paragraph));
  for (const std::string& warning : content.warnings)
    body += fmt::format("<p class=\"warning\">{}</p>\n", html_escaped(warning));
  if (content.tables.empty()) body += html_table(accuracy_table(content.groups));
  for (const HtmlTable& table : content.tables) body += html_table(table);
  const FigureHtml figures = curves(content, folder, ours, result);
  body += "<h2>Curves</h2>\n" + figures.body;
  if (const HtmlTable table = switch_table(content.groups); !table.rows.empty()) body += html_table(table);
  std::vector<std::string> problems;
  body += confusion_html(content.groups, problems);
  for (const std::string& problem : problems)
    body += fmt::format("<p class=\"warning\">{}</p>\n", html_escaped(problem));
  body += analyses(content.groups, folder);
  if (content.groups.size() > 1) body += html_table(differences_table(content.groups));
  body += html_table(common_table(content.groups));
  body += html_table(facts_table(content.groups));
  body += html_table(runs_table(content.groups));
  write_file_atomic(result.path, html_page(content.title, body, figures.scripts));
  return result;
}

}  // namespace signstep
