// SPDX-License-Identifier: Apache-2.0
// Runs gnuplot (Debian: gnuplot-nox). Needed at run time only, and optional: who draws says what to do without it.
#pragma once

#include <string>
#include <string_view>

namespace signstep {

// An SVG picture, or why there is none. A missing gnuplot, or one that fails, is an expected outcome: nothing is
// thrown.
struct Drawing {
  std::string svg;      // one <svg> element without the XML prolog, ready for an HTML page; empty: no picture
  std::string problem;  // "gnuplot is not installed ...", or gnuplot's own words

  explicit operator bool() const { return !svg.empty(); }
};

// Whether a program named gnuplot is on the PATH.
bool gnuplot_available();

// Runs the script, which must leave its SVG on standard output (set terminal svg, no set output). The user's ~/.gnuplot
// is not read. prefix: what the picture's ids start with; pictures on one page need different ones. About 50 ms.
Drawing run_gnuplot(std::string_view script, const std::string& prefix);

// A gnuplot string literal in which nothing is substituted; control characters become spaces.
std::string gnuplot_quoted(std::string_view text);

}  // namespace signstep
