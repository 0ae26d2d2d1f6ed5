// SPDX-License-Identifier: Apache-2.0
// Charts as data, drawn by gnuplot as SVG: one look for every picture that the program makes.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "signstep/report/gnuplot.h"

namespace signstep {

// Colours that stay apart for colour-blind readers and on paper (Okabe, Ito 2008, grey in the place of yellow),
// "#rrggbb".
inline constexpr size_t kColors = 8;
const char* chart_color(size_t index);  // index modulo kColors

// kFaint: a thin pale line under another. kBars: points with a bar from low to high each. kRings, kSquares: large and
// open, around points of others.
enum class SeriesStyle { kLine, kDashed, kDotted, kDashDotted, kFaint, kPoints, kBars, kRings, kSquares, kLinePoints };

struct Series {
  std::string name = {};     // in the legend; "": not listed
  std::string of = {};       // the listed one that it comes and goes with, where it is not listed itself
  std::vector<double> x, y;  // the same length; a NaN or infinite y leaves a gap
  std::vector<double> low = {},
                      high =
                          {};  // a band around y, such as mean -+ sd; a bar at a single point; empty, or as long as x
  SeriesStyle style = SeriesStyle::kLine;
  std::optional<size_t> color = {};  // chart_color; none: its place in the chart
};

// A vertical line across the chart, such as the step of a switch.
struct Marker {
  double x = 0;
  std::string name = {};  // in the legend; "": not listed
  size_t color = 0;
};

// A horizontal one, such as the ratio 1.
struct Level {
  double y = 0;
  std::string name = {};  // in the legend; "": not listed
};

struct Chart {
  std::string title, x_label, y_label;  // labels with their unit: "test accuracy (%)"
  std::vector<Series> series = {};
  std::vector<Marker> markers = {};
  std::vector<Level> levels = {};
  std::vector<std::string> x_names = {};                      // of x = 0, 1, ...: then x counts things that have names
  bool log_x = false, log_y = false;                          // values that are not positive are left out
  std::optional<double> x_low = {}, y_low = {}, y_high = {};  // none: by the data
  bool whole_x = false;                                       // x counts something: no tics between whole numbers
  int width = 860, height = 420;                              // pixels at 100 %; the legend's lines come below them
};

// Whether there is a point to draw: a finite one, on a logarithmic axis a positive one.
bool has_points(const Chart& chart);

// The gnuplot script of a chart.
std::string chart_script(const Chart& chart);

// prefix: as for run_gnuplot. A chart without a single point to draw gives a Drawing that says so.
Drawing draw(const Chart& chart, const std::string& prefix);

}  // namespace signstep
