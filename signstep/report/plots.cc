// SPDX-License-Identifier: Apache-2.0
#include "signstep/report/plots.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "signstep/base/error.h"

namespace signstep {
namespace {

constexpr const char* kPalette[kColors] = {"#0072b2", "#d55e00", "#009e73", "#000000",
                                           "#cc79a7", "#e69f00", "#56b4e9", "#808080"};

// Before any data: terminal, fonts, axes, grid, legend. Text is taken as it is ("noenhanced": a name may hold _ or ^).
constexpr const char* kLook = R"(set encoding utf8
set border 3 linecolor rgb '#404040'
set tics nomirror out scale 0.6 textcolor rgb '#202020'
set grid linecolor rgb '#e2e2e2' linetype 1 linewidth 1
set key outside right top Left reverse spacing 1.35 samplen 2.4
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

std::string style_text(SeriesStyle style) {
  switch (style) {
    case SeriesStyle::kLine: return "lines dashtype 1 linewidth 2.2";
    case SeriesStyle::kDashed: return "lines dashtype (8,5) linewidth 2.2";
    case SeriesStyle::kDotted: return "lines dashtype (2,4) linewidth 2.2";
    case SeriesStyle::kPoints: return "points pointtype 7 pointsize 0.5";
    case SeriesStyle::kLinePoints: return "linespoints dashtype 1 linewidth 2 pointtype 7 pointsize 0.5";
  }
  return "lines";
}

std::string range_text(const std::optional<double>& low, const std::optional<double>& high) {
  return fmt::format("[{}:{}]", low ? fmt::format("{}", *low) : "*", high ? fmt::format("{}", *high) : "*");
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
  std::string text = fmt::format(
      "set terminal svg size {},{} dynamic noenhanced font 'DejaVu Sans,Arial,sans-serif,13' background rgb "
      "'white'\n{}",
      chart.width, chart.height, kLook);
  text += fmt::format("set title {}\nset xlabel {}\nset ylabel {}\n", gnuplot_quoted(chart.title),
                      gnuplot_quoted(chart.x_label), gnuplot_quoted(chart.y_label));
  if (chart.log_x) text += "set logscale x\nset format x '%g'\n";
  if (chart.log_y) text += "set logscale y\nset format y '%g'\n";
  text +=
      fmt::format("set xrange {}\nset yrange {}\n", range_text(chart.x_low, {}), range_text(chart.y_low, chart.y_high));
  if (chart.whole_x && largest_x(chart) <= 12) text += "set xtics 1\n";

  std::vector<std::string> bands, curves;
  for (size_t i = 0; i < chart.series.size(); ++i) {
    const Series& s = chart.series[i];
    assert(s.x.size() == s.y.size() && s.low.size() == s.high.size() && (s.low.empty() || s.low.size() == s.x.size()));
    const std::string color = gnuplot_quoted(chart_color(s.color.value_or(i)));
    text += data_block(chart, s, i);
    if (!s.low.empty()) {
      const bool point = s.x.size() == 1;
      bands.push_back(fmt::format("$data{} using {} linecolor rgb {} notitle", i,
                                  point ? "1:2:3:4 with yerrorbars pointtype 0" : "1:3:4 with filledcurves", color));
    }
    curves.push_back(fmt::format("$data{} using 1:2 with {} linecolor rgb {} {}", i, style_text(s.style), color,
                                 s.name.empty() ? "notitle" : "title " + gnuplot_quoted(s.name)));
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
  bands.insert(bands.end(), curves.begin(), curves.end());  // curves lie over every band
  return text + fmt::format("plot {}\n", fmt::join(bands, ", \\\n     "));
}

Drawing draw(const Chart& chart, const std::string& prefix) {
  if (!has_points(chart)) return {.svg = "", .problem = fmt::format("'{}' has no point to draw", chart.title)};
  return run_gnuplot(chart_script(chart), prefix);
}

}  // namespace signstep
