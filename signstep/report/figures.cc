// SPDX-License-Identifier: Apache-2.0
#include "signstep/report/figures.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "signstep/base/error.h"
#include "signstep/io/atomic_file.h"
#include "signstep/io/path.h"
#include "signstep/report/html.h"
#include "signstep/report/interactive.h"

namespace signstep {
namespace {

constexpr const char* kHead = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<!-- drawn by signstep -->\n";

}  // namespace

Figures write_figures(const std::vector<NamedChart>& charts, const FigureOptions& options) {
  const auto path = [&](const std::string& file) { return fmt::format("{}/{}.svg", options.folder, file); };
  const auto replaceable = [&](const std::string& file) {
    return options.ours || !path_exists(path(file)) || read_text_file(path(file), kLargestPage).starts_with(kHead);
  };
  for (const NamedChart& named : charts)
    if (!replaceable(named.file))
      throw OptionError(
          fmt::format("{} exists and is no figure of signstep; choose another folder with --output", path(named.file)));
  Figures out;
  std::set<std::string> stale(options.earlier.begin(), options.earlier.end());
  for (const NamedChart& named : charts) {
    if (!has_points(named.chart)) continue;
    Drawing drawing;
    if (out.problem.empty()) {
      drawing = draw(named.chart, named.file);
      out.problem = drawing.problem;
    }
    if (drawing) {
      write_file_atomic(path(named.file), kHead + drawing.svg);
      stale.erase(named.file);
    }
    out.drawn.push_back({named.file, named.caption, drawing.svg, named.chart});
  }
  std::error_code ignored;
  for (const std::string& file : stale)
    if (replaceable(file)) std::filesystem::remove(path(file), ignored);
  return out;
}

size_t Figures::pictures() const {
  return static_cast<size_t>(std::count_if(drawn.begin(), drawn.end(), [](const Figure& f) { return !f.svg.empty(); }));
}

std::string figures_text(const Figures& figures) {
  const size_t n = figures.pictures();
  return (n > 0 ? fmt::format(", {} figures (*.svg)", n) : "") +
         (figures.problem.empty() ? "" : fmt::format("\nNo figures  {}", figures.problem));
}

FigureHtml figures_html(const Figures& figures) {
  const std::string library = chart_library();
  FigureHtml out;
  for (const Figure& f : figures.drawn) {
    if (f.svg.empty() && library.empty()) continue;
    const std::string link = f.svg.empty() ? "" : fmt::format(" <a href=\"{}.svg\">SVG</a>", f.file);
    out.body += fmt::format("<figure id=\"{}\">\n<h3>{}</h3>\n{}{}<figcaption>{}{}</figcaption>\n</figure>\n", f.file,
                            html_escaped(f.chart.title), library.empty() ? "" : interactive_chart(f.chart), f.svg,
                            html_escaped(f.caption), link);
  }
  if (!library.empty() && !out.body.empty()) {
    out.scripts = {library, chart_page_script()};
    out.body =
        "<p class=\"note live-hint\">Move over a chart for its values; drag to zoom, double click to see all; "
        "click a name to switch its curve off.</p>\n" +
        out.body;
  }
  return out;
}

}  // namespace signstep
