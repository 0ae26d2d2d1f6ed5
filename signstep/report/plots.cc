// SPDX-License-Identifier: Apache-2.0
#include "signstep/report/plots.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "signstep/base/error.h"
#include "signstep/report/html.h"

namespace signstep {
namespace {

constexpr const char* kPalette[kColors] = {"#0072b2", "#d55e00", "#009e73", "#000000",
                                           "#cc79a7", "#e69f00", "#56b4e9", "#808080"};

// Before any data: terminal, fonts, axes, grid, legend. Text is taken as it is ("noenhanced": a name may hold _ or ^).
constexpr const char* kLook = R"(set encoding utf8
set border 3 linecolor rgb '#404040'
set tics nomirror out scale 0.6 textcolor rgb '#202020'
set grid linecolor rgb '#e2e2e2' linetype 1 linewidth 1
set style fill transparent solid 0.18 noborder
)";

bool drawable(const Chart& chart, double x, double y) {
  return std::isfinite(x) && std::isfinite(y) && (!chart.log_x || x > 0) && (!chart.log_y || y > 0);
}

double largest_x(const Chart& chart) {
  double largest = 0;
  for (const Series& s : chart.series)
    for (const double x : s.x) largest = std::max(largest, x);
  return largest;
}

// "x y low high" a line; an empty line where the curve has a gap.
std::string data_block(const Chart& chart, const Series& s, size_t index) {
  std::string text = fmt::format("$data{} << END\n", index);
  for (size_t i = 0; i < s.x.size(); ++i) {
    if (!drawable(chart, s.x[i], s.y[i])) {
      text += "\n";
      continue;
    }
    const bool banded = !s.low.empty() && drawable(chart, s.x[i], s.low[i]) && drawable(chart, s.x[i], s.high[i]);
    text += fmt::format("{} {} {} {}\n", s.x[i], s.y[i], banded ? s.low[i] : s.y[i], banded ? s.high[i] : s.y[i]);
  }
  return text + "END\n";
}

// Points that no line reaches, because both neighbours are gaps or ends: "x y" a line.
std::string lone_points(const Chart& chart, const Series& s) {
  std::string text;
  const auto there = [&](size_t i) { return i < s.x.size() && drawable(chart, s.x[i], s.y[i]); };
  for (size_t i = 0; i < s.x.size(); ++i)
    if (there(i) && !there(i + 1) && (i == 0 || !there(i - 1))) text += fmt::format("{} {}\n", s.x[i], s.y[i]);
  return text;
}

bool is_line(SeriesStyle style) {
  return style == SeriesStyle::kLine || style == SeriesStyle::kDashed || style == SeriesStyle::kDotted ||
         style == SeriesStyle::kDashDotted || style == SeriesStyle::kFaint;
}

std::string style_text(SeriesStyle style) {
  switch (style) {
    case SeriesStyle::kFaint: return "lines dashtype 1 linewidth 0.5";
    case SeriesStyle::kBars: return "points pointtype 7 pointsize 0.8";
    case SeriesStyle::kRings: return "points pointtype 6 pointsize 1.6 linewidth 1.6";
    case SeriesStyle::kSquares: return "points pointtype 4 pointsize 1.6 linewidth 1.6";
    case SeriesStyle::kLine: return "lines dashtype 1 linewidth 2.2";
    case SeriesStyle::kDashed: return "lines dashtype (8,5) linewidth 2.2";
    case SeriesStyle::kDotted: return "lines dashtype (2,4) linewidth 2.2";
    case SeriesStyle::kDashDotted: return "lines dashtype (8,4,2,4) linewidth 2.2";
    case SeriesStyle::kPoints: return "points pointtype 7 pointsize 0.5";
    case SeriesStyle::kLinePoints: return "linespoints dashtype 1 linewidth 2 pointtype 7 pointsize 0.5";
  }
  return "lines";
}

std::string range_text(const std::optional<double>& low, const std::optional<double>& high) {
  return fmt::format("[{}:{}]", low ? fmt::format("{}", *low) : "*", high ? fmt::format("{}", *high) : "*");
}

// The legend stands below in as many columns as its longest name leaves room for; a name of average letters is 7.2
// pixels a letter wide.
struct Legend {
  size_t columns = 1, lines = 0;
};

Legend legend_of(const Chart& chart) {
  size_t names = 0, longest = 0;
  const auto count = [&](const std::string& name) {
    if (name.empty()) return;
    ++names;
    longest = std::max(longest, name.size());
  };
  for (const Series& s : chart.series) count(s.name);
  for (const Marker& m : chart.markers) count(m.name);
  for (const Level& l : chart.levels) count(l.name);
  const double room = static_cast<double>(chart.width) - 40;
  Legend legend{.columns = std::max<size_t>(1, static_cast<size_t>(room / (7.2 * static_cast<double>(longest) + 55)))};
  legend.columns = std::min(legend.columns, std::max<size_t>(1, names));
  legend.lines = (names + legend.columns - 1) / legend.columns;
  return legend;
}

// Names under the axis stand upright where they are many, and then need height.
std::string names_text(const Chart& chart, int& height) {
  const size_t n = chart.x_names.size();
  std::vector<std::string> tics;
  size_t longest = 0;
  for (size_t i = 0; i < n; ++i) {
    tics.push_back(fmt::format("{} {}", gnuplot_quoted(chart.x_names[i]), i));
    longest = std::max(longest, chart.x_names[i].size());
  }
  const bool upright = static_cast<double>(n * longest) * 7.2 > static_cast<double>(chart.width) - 120;
  if (upright) height += static_cast<int>(6 * longest);
  return fmt::format("set xtics {}({}){}\n", upright ? "rotate by 90 right " : "", fmt::join(tics, ", "),
                     upright && n > 30 ? " font ',10'" : "");
}

}  // namespace

bool has_points(const Chart& chart) {
  for (const Series& s : chart.series) {
    for (size_t i = 0; i < s.x.size(); ++i)
      if (drawable(chart, s.x[i], s.y[i])) return true;
  }
  return false;
}

const char* chart_color(size_t index) { return kPalette[index % kColors]; }

std::string chart_script(const Chart& chart) {
  const Legend legend = legend_of(chart);
  int height = chart.height + static_cast<int>(19 * legend.lines);
  const std::string names = chart.x_names.empty() ? "" : names_text(chart, height);
  std::string text = fmt::format(
      "set terminal svg size {},{} dynamic noenhanced font 'DejaVu Sans,Arial,sans-serif,13' background rgb "
      "'white'\n{}set key bmargin center horizontal Left reverse spacing 1.35 samplen 2.4 maxcols {}\n",
      chart.width, height, kLook, legend.columns);
  text += fmt::format("set title {}\nset xlabel {}\nset ylabel {}\n", gnuplot_quoted(chart.title),
                      gnuplot_quoted(chart.x_label), gnuplot_quoted(chart.y_label));
  if (chart.log_x) text += "set logscale x\nset format x '%g'\n";
  if (chart.log_y) text += "set logscale y\nset format y '%g'\n";
  const std::optional<double> most_x =
      names.empty() ? std::nullopt : std::optional(static_cast<double>(chart.x_names.size()) - 0.5);
  text += fmt::format("set xrange {}\nset yrange {}\n{}",
                      range_text(names.empty() ? chart.x_low : std::optional(-0.5), most_x),
                      range_text(chart.y_low, chart.y_high), names);
  if (names.empty() && chart.whole_x && largest_x(chart) <= 12) text += "set xtics 1\n";

  std::vector<std::string> bands, curves;
  for (size_t i = 0; i < chart.series.size(); ++i) {
    const Series& s = chart.series[i];
    assert(s.x.size() == s.y.size() && s.low.size() == s.high.size() && (s.low.empty() || s.low.size() == s.x.size()));
    const std::string color = gnuplot_quoted(chart_color(s.color.value_or(i)));
    text += data_block(chart, s, i);
    if (!s.low.empty()) {
      const bool point = s.x.size() == 1 || s.style == SeriesStyle::kBars;
      bands.push_back(fmt::format("$data{} using {} linecolor rgb {} notitle", i,
                                  point ? "1:2:3:4 with yerrorbars pointtype 0" : "1:3:4 with filledcurves", color));
    }
    curves.push_back(fmt::format("$data{} using 1:2 with {} linecolor rgb {} {}", i, style_text(s.style), color,
                                 s.name.empty() ? "notitle" : "title " + gnuplot_quoted(s.name)));
    const std::string lone = is_line(s.style) ? lone_points(chart, s) : "";
    if (!lone.empty()) {
      text += fmt::format("$lone{} << END\n{}END\n", i, lone);
      curves.push_back(
          fmt::format("$lone{} using 1:2 with points pointtype 7 pointsize 0.8 linecolor rgb {} notitle", i, color));
    }
  }
  for (const Marker& m : chart.markers) {
    const std::string color = gnuplot_quoted(chart_color(m.color));
    text += fmt::format(
        "set arrow from first {0}, graph 0 to first {0}, graph 1 nohead dashtype (4,4) linewidth 1.4 "
        "linecolor rgb {1} front\n",
        m.x, color);
    if (!m.name.empty()) {
      curves.push_back(fmt::format("NaN with lines dashtype (4,4) linewidth 1.4 linecolor rgb {} title {}", color,
                                   gnuplot_quoted(m.name)));
    }
  }
  for (const Level& l : chart.levels) {
    text += fmt::format(
        "set arrow from graph 0, first {0} to graph 1, first {0} nohead dashtype (4,4) linewidth 1.2 linecolor rgb "
        "'#404040' front\n",
        l.y);
    if (!l.name.empty()) {
      curves.push_back(fmt::format("NaN with lines dashtype (4,4) linewidth 1.2 linecolor rgb '#404040' title {}",
                                   gnuplot_quoted(l.name)));
    }
  }
  bands.insert(bands.end(), curves.begin(), curves.end());  // curves lie over every band
  return text + fmt::format("plot {}\n", fmt::join(bands, ", \\\n     "));
}

Drawing draw(const Chart& chart, const std::string& prefix) {
  if (!has_points(chart)) return {.svg = "", .problem = fmt::format("'{}' has no point to draw", chart.title)};
  Drawing drawing = run_gnuplot(chart_script(chart), prefix);
  if (const size_t at = drawing.svg.find("<title>Gnuplot</title>"); at != std::string::npos)
    drawing.svg.replace(at, 22, fmt::format("<title>{}</title>", html_escaped(chart.title)));
  return drawing;
}

}  // namespace signstep
