// SPDX-License-Identifier: Apache-2.0
// signstep report: tables and curves of finished or running runs, as one HTML page.
#include <filesystem>
#include <map>

#include "cli/commands.h"
#include "cli/exit_code.h"
#include "signstep/base/error.h"
#include "signstep/io/label.h"
#include "signstep/io/path.h"
#include "signstep/options/train_options.h"
#include "signstep/report/report.h"
#include "signstep/runs/run_files.h"
#include "signstep/runs/run_list.h"

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
  return fmt::format("{} on {}", methods, shown(groups.front().runs.front().record.data.dataset));
}

// Two names of one folder would make two seeds of one run.
void refuse_twice(const std::vector<std::string>& folders) {
  std::map<std::filesystem::path, std::string> seen;
  for (const std::string& folder : folders) {
    std::error_code error;
    const auto [first, added] = seen.try_emplace(std::filesystem::canonical(folder, error), folder);
    if (!added && !error)
      throw OptionError(fmt::format("{} and {} are the same run; name each run once", first->second, folder));
  }
}

// A folder of runs in the place of the runs in it.
std::vector<std::string> runs_in(const std::vector<std::string>& folders) {
  std::vector<std::string> runs;
  for (const std::string& folder : folders) {
    std::vector<std::string> found;
    if (!path_exists(record_path(folder)) && !path_exists(folder + "/experiment.json") && is_folder(folder))
      found = find_runs(folder);
    if (found.empty()) found = {folder};  // a run, or what read_run says of it
    runs.insert(runs.end(), found.begin(), found.end());
  }
  return runs;
}

struct ReadRuns {
  std::vector<RunSummary> runs;
  std::vector<std::string> left_out;  // why, a sentence each
  bool damaged = false;               // one of them
};

// A run that cannot be shown is left out and said. A folder that holds none is a mistake, and so is nothing to show.
ReadRuns read_runs(const std::vector<std::string>& folders) {
  ReadRuns out;
  for (const std::string& folder : folders) {
    try {
      out.runs.push_back(read_run(folder));
    } catch (const Error& e) {
      if (!holds_a_run(folder)) throw;
      out.left_out.emplace_back(e.what());
      out.damaged = out.damaged || e.kind() != ErrorKind::kOption;
    }
  }
  if (out.runs.empty())
    throw Error(out.damaged ? ErrorKind::kData : ErrorKind::kOption, fmt::format("{}", fmt::join(out.left_out, "\n")));
  return out;
}

// Where the page goes: a run's own folder, or for several runs the first of report, report-2, ... in their folder, or
// in runs, that has no report of others.
std::string folder_for(const ReportCommand& c, const std::vector<RunGroup>& groups) {
  if (!c.output.empty()) return c.output;
  if (c.runs.size() == 1 && runs_in(c.runs) == c.runs) return c.runs.front() + "/report";
  const std::string base = (c.runs.size() == 1 ? c.runs.front() : "runs") + "/report";
  std::string folder = base;
  for (int n = 2; path_exists(folder + "/report.html") && !is_report_of(folder, groups); ++n)
    folder = fmt::format("{}-{}", base, n);
  return folder;
}

int run_report(const ReportCommand& c) {
  require_label(c.title, "--title", kTitleLength);
  const std::vector<std::string> runs = runs_in(c.runs);
  refuse_twice(runs);
  ReadRuns read = read_runs(runs);
  const size_t shown = read.runs.size();
  ReportContent content;
  TrainOptions options;
  content.groups = group_runs(std::move(read.runs), option_list(options));
  content.title = c.title.empty() ? default_title(content.groups) : c.title;
  content.warnings = comparison_warnings(content.groups);
  for (const std::string& reason : read.left_out) content.warnings.push_back("Left out: " + reason);
  const ReportResult result = write_report(content, folder_for(c, content.groups));
  for (const std::string& reason : read.left_out) fmt::print("Left out       {}\n", reason);
  if (!result.problem.empty()) fmt::print("Without curves: {}\n", result.problem);
  fmt::print("Report         {} ({} run{}, {} chart{})\n",
             std::filesystem::absolute(result.path).lexically_normal().string(), shown, shown == 1 ? "" : "s",
             result.charts, result.charts == 1 ? "" : "s");
  if (result.replaced && !c.output.empty())
    fmt::print("               It replaced a report of other runs; another --output keeps both.\n");
  return read.damaged ? exit_code(ErrorKind::kData) : 0;
}

}  // namespace

void add_report(CLI::App& app, Run& run) {
  auto command = std::make_shared<ReportCommand>();
  CLI::App* sub = app.add_subcommand("report", "Tables and curves of runs as one HTML page");
  sub->add_option("RUN", command->runs,
                  "run folders, or folders of runs; runs that differ by seed alone share a curve with a band")
      ->required();
  sub->add_option(
         "--output", command->output,
         "folder for report.html and the SVG files; default: RUN/report, for several runs/report, runs/report-2, ...")
      ->type_name("FOLDER");
  sub->add_option("--title", command->title, "of the page")->type_name("TEXT");
  sub->footer(
      "Curves need dygraphs (Debian: libjs-dygraphs), pictures gnuplot (gnuplot-nox).\n"
      "The page opens from disk and loads nothing.");
  sub->callback([command, &run] { run = [command] { return run_report(*command); }; });
}

}  // namespace signstep::cli
