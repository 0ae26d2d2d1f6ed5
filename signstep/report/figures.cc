// SPDX-License-Identifier: Apache-2.0
#include "signstep/report/figures.h"

#include "signstep/io/atomic_file.h"

namespace signstep {

Figures write_figures(const std::vector<NamedChart>& charts, const std::string& folder) {
  Figures out;
  for (const NamedChart& named : charts) {
    const Drawing drawing = draw(named.chart, named.file);
    if (!drawing) {
      out.problem = drawing.problem;
      continue;
    }
    out.files.push_back(folder + "/" + named.file + ".svg");
    write_file_atomic(out.files.back(), drawing.svg);
  }
  return out;
}

}  // namespace signstep
