// SPDX-License-Identifier: Apache-2.0
// Charts as SVG files: the one place that writes them, for reports, analyses and studies.
#pragma once

#include <string>
#include <vector>

#include "signstep/report/plots.h"

namespace signstep {

struct NamedChart {
  std::string file;     // "test-accuracy": the SVG file's stem and the prefix of its ids
  std::string caption;  // what is seen, in a sentence
  Chart chart;
};

struct FigureOptions {
  std::string folder;                     // is there
  bool declared = false;                  // each file begins with an XML declaration
  std::vector<std::string> earlier = {};  // stems that figures there may have; what is not drawn again is removed
};

struct Figure {
  std::string file, caption;  // of the chart
  std::string svg;            // ready for an HTML page
};

struct Figures {
  std::vector<Figure> drawn;  // in the order of the charts
  std::string problem;        // why some or all are missing; "" when all are there
};

// Draws each chart to FOLDER/FILE.svg. A chart without a point to draw is left out; once gnuplot is missing or fails,
// nothing more is drawn. Both are told in `problem`, not thrown.
Figures write_figures(const std::vector<NamedChart>& charts, const FigureOptions& options);

}  // namespace signstep
