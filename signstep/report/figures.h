// SPDX-License-Identifier: Apache-2.0
// Charts as SVG files: the one place that writes them, for reports, analyses and studies.
#pragma once

#include <string>
#include <vector>

#include "signstep/report/plots.h"

namespace signstep {

inline constexpr size_t kLargestPage = size_t{1} << 30;  // bytes, of a page or a figure

struct NamedChart {
  std::string file;     // "test-accuracy": the SVG file's stem and the prefix of its ids
  std::string caption;  // what is seen, in a sentence
  Chart chart;
};

struct FigureOptions {
  std::string folder;                     // is there
  std::vector<std::string> earlier = {};  // stems that figures there may have; what is not drawn again is removed
  bool ours = false;                      // a page of signstep's stands there, so the figures beside it are its own
};

struct Figure {
  std::string file, caption;  // of the chart
  std::string svg;            // ready for an HTML page; "" without gnuplot
  Chart chart;
};

struct Figures {
  std::vector<Figure> drawn;  // in the order of the charts; without gnuplot they have no svg
  std::string problem;        // why some or all pictures are missing; "" when all are there

  size_t pictures() const;  // SVG files that were written
};

// ", 7 figures (*.svg)", or why there are none or fewer: the end of a line that says what was written.
std::string figures_text(const Figures& figures);

// Draws each chart to FOLDER/FILE.svg. A chart without a point to draw is left out; once gnuplot is missing or fails,
// nothing more is drawn, which `problem` tells. Throws OptionError, before anything is written, for a file of a chart's
// name that is no figure of signstep's.
Figures write_figures(const std::vector<NamedChart>& charts, const FigureOptions& options);

// The figures as HTML: each to be read with a mouse where the library is there, and the picture for printing and for
// who runs no scripts. What has neither is left out.
struct FigureHtml {
  std::string body;
  std::vector<std::string> scripts;  // for html_page
};
FigureHtml figures_html(const Figures& figures);

}  // namespace signstep
