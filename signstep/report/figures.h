// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "signstep/report/run_charts.h"

namespace signstep {

struct Figures {
  std::vector<std::string> files;  // written, in order
  std::string problem;             // why some or all are missing; "" when all are there
};

// Draws each chart to FOLDER/FILE.svg; the folder is there. A missing gnuplot is told in `problem`, not thrown.
Figures write_figures(const std::vector<NamedChart>& charts, const std::string& folder);

}  // namespace signstep
