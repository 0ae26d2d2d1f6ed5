// SPDX-License-Identifier: Apache-2.0
// One self-contained report.html, and its pictures as SVG files beside it.
#pragma once

#include <string>
#include <vector>

#include "signstep/report/figures.h"
#include "signstep/report/html.h"
#include "signstep/report/run_group.h"

namespace signstep {

// What signstep analyze calls its page, in a folder below RUN/analysis; a report links those of its runs.
inline constexpr const char* kAnalysisPage = "analysis.html";

struct ReportContent {
  std::string title;
  std::vector<std::string> lead = {};  // paragraphs under the title
  std::vector<HtmlTable> tables = {};  // before the curves; empty: one of final accuracies is made
  std::vector<std::string> warnings = {};
  std::vector<NamedChart> charts = {};  // before those of the runs
  std::vector<RunGroup> groups;
};

struct ReportResult {
  std::string path;  // of report.html
  size_t charts = 0;
  std::string problem;    // why there are no curves; "" when there are
  bool replaced = false;  // an earlier report, of other runs, stood there
};

// Writes FOLDER/report.html and FOLDER/CHART.svg, making the folder. An earlier report there is replaced, and pictures
// of it that are no longer drawn are removed; a report.html of something else is refused with OptionError. Without
// gnuplot the page has tables only and says so.
ReportResult write_report(const ReportContent& content, const std::string& folder);

// Whether FOLDER/report.html is one of these runs, by their folders.
bool is_report_of(const std::string& folder, const std::vector<RunGroup>& groups);

// What a reader should know before comparing these groups: other data, other versions, unfinished or diverged runs.
std::vector<std::string> comparison_warnings(const std::vector<RunGroup>& groups);

}  // namespace signstep
