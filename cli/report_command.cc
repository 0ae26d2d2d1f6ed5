// SPDX-License-Identifier: Apache-2.0
// signstep report: tables and curves of finished or running runs, as one HTML page.
#include <filesystem>

#include "cli/commands.h"
#include "signstep/core/error.h"
#include "signstep/report/report.h"

namespace signstep::cli {
namespace {

struct ReportCommand {
  std::vector<std::string> runs;
  std::string output, title;
};

std::string default_title(const std::vector<RunGroup>& groups) {
  std::vector<std::string> names;
  for (const RunGroup& group : groups) names.push_back(group.name);
  const std::string methods =
      names.size() > 4 ? fmt::format("{} methods", names.size()) : fmt::format("{}", fmt::join(names, ", "));
  return fmt::format("{} on {}", methods, groups.front().runs.front().text({"data", "dataset"}));
}

int run_report(const ReportCommand& c) {
  std::vector<RunSummary> runs;
  for (const std::string& folder : c.runs) runs.push_back(read_run(folder));
  ReportContent content;
  content.groups = group_runs(std::move(runs));
  content.title = c.title.empty() ? default_title(content.groups) : c.title;
  content.warnings = comparison_warnings(content.groups);
  std::string folder = c.output;
  if (folder.empty()) folder = c.runs.size() == 1 ? c.runs.front() + "/report" : "runs/report";
  const ReportResult result = write_report(content, folder);
  if (!result.problem.empty()) fmt::print("Without curves: {}\n", result.problem);
  fmt::print("Report         {} ({} run{}, {} chart{})\n",
             std::filesystem::absolute(result.path).lexically_normal().string(), c.runs.size(),
             c.runs.size() == 1 ? "" : "s", result.charts, result.charts == 1 ? "" : "s");
  return 0;
}

}  // namespace

void add_report(CLI::App& app, Run& run) {
  auto command = std::make_shared<ReportCommand>();
  CLI::App* sub = app.add_subcommand("report", "Tables and curves of runs as one HTML page");
  sub->add_option("RUN", command->runs, "run folders; runs that differ by seed alone share a curve with a band")
      ->required();
  sub->add_option("--output", command->output,
                  "folder for report.html and the SVG files; default: RUN/report, runs/report for several")
      ->type_name("FOLDER");
  sub->add_option("--title", command->title, "of the page")->type_name("TEXT");
  sub->footer("Curves need gnuplot (Debian: gnuplot-nox). The page opens from disk and loads nothing.");
  sub->callback([command, &run] { run = [command] { return run_report(*command); }; });
}

}  // namespace signstep::cli
