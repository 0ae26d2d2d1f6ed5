// SPDX-License-Identifier: Apache-2.0
// Charts that are read with a mouse: hover for values, drag to zoom, double click to see all, click a name to switch
// its curve off. Drawn in the browser by dygraphs (Debian: libjs-dygraphs), which stands in the page itself.
//
// Of Debian's libraries dygraphs is the one that has bands, gaps, logarithmic axes, zoom and hover of its own, in
// 131 kB; Chart.js 3.9 has neither bands nor zoom, d3 3.5 is a toolbox of 242 kB.
#pragma once

#include <string>

#include "signstep/report/plots.h"

namespace signstep {

// The library's text, ready to stand in a page; "" where it is not installed: then there are pictures alone. The file
// that SIGNSTEP_DYGRAPHS names, or Debian's.
std::string chart_library();

// The chart's data for the page's script, as an HTML element that shows nothing by itself.
std::string interactive_chart(const Chart& chart);

// What draws every interactive_chart of the page once the library is there.
const char* chart_page_script();

}  // namespace signstep
