// SPDX-License-Identifier: Apache-2.0
#include "signstep/report/figures.h"

#include <filesystem>
#include <set>

#include "signstep/base/error.h"
#include "signstep/io/atomic_file.h"

namespace signstep {

Figures write_figures(const std::vector<NamedChart>& charts, const FigureOptions& options) {
  const auto path = [&](const std::string& file) { return fmt::format("{}/{}.svg", options.folder, file); };
  const std::string head = options.declared ? "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n" : "";
  Figures out;
  std::set<std::string> stale(options.earlier.begin(), options.earlier.end());
  for (const NamedChart& named : charts) {
    const Drawing drawing = draw(named.chart, named.file);
    if (!drawing) {
      out.problem = drawing.problem;
      if (has_points(named.chart)) break;
      continue;
    }
    write_file_atomic(path(named.file), head + drawing.svg);
    stale.erase(named.file);
    out.drawn.push_back({named.file, named.caption, drawing.svg});
  }
  std::error_code ignored;
  for (const std::string& file : stale) std::filesystem::remove(path(file), ignored);
  return out;
}

}  // namespace signstep
