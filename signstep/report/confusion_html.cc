// SPDX-License-Identifier: Apache-2.0
#include "signstep/report/confusion_html.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "signstep/base/error.h"
#include "signstep/report/html.h"
#include "signstep/runs/confusion.h"
#include "signstep/runs/run_folder.h"

namespace signstep {
namespace {

constexpr size_t kWidestMatrix = 20, kMistakes = 20;

struct GroupConfusion {
  std::string name;
  size_t runs = 0;
  Confusion sum;  // of the runs' images
  std::vector<std::string> notes;
};

std::string percent_text(double value) { return std::isnan(value) ? "-" : fmt::format("{:.1f}", value); }

void add(GroupConfusion& to, const Confusion& one, const std::string& run_folder) {
  const auto checkpoints = list_checkpoints(run_folder);
  if (!checkpoints.empty() && std::filesystem::path(checkpoints.front()).filename() != one.checkpoint) {
    to.notes.push_back(
        fmt::format("{} has a newer checkpoint than {}, of which this is; signstep eval --confusion measures it.",
                    run_folder, shown(one.checkpoint)));
  }
  ++to.runs;
  if (to.sum.classes.empty()) {
    to.sum = one;
    return;
  }
  for (size_t k = 0; k < one.classes.size(); ++k)
    for (size_t j = 0; j < one.classes.size(); ++j) to.sum.counts[k][j] += one.counts[k][j];
}

GroupConfusion of_group(const RunGroup& group, std::vector<std::string>& problems) {
  GroupConfusion out{.name = group.name, .runs = 0, .sum = {}, .notes = {}};
  for (const RunSummary& run : group.runs) {
    try {
      const std::optional<Confusion> one = read_confusion(run.folder);
      if (!one) continue;
      if (out.runs > 0 && one->classes != out.sum.classes)
        throw DataError(fmt::format("{} has other classes than the runs before it", confusion_path(run.folder)));
      add(out, *one, run.folder);
    } catch (const Error& e) {
      problems.push_back(fmt::format("Which classes are taken for which is left out of a run: {}", e.what()));
    }
  }
  if (out.runs > 1) out.notes.push_back(fmt::format("The images of {} runs, counted together.", out.runs));
  return out;
}

// How dark a cell is, 0 to 1: on the diagonal the share of the class that is known, elsewhere beside the largest
// share that is taken for another class.
std::string shaded_cell(const Confusion& c, size_t label, size_t predicted, double largest) {
  const uint64_t count = c.counts[label][predicted];
  if (count == 0) return "<td></td>";
  const double share = static_cast<double>(count) / static_cast<double>(c.images(label));
  const bool right = label == predicted;
  return fmt::format("<td{} style=\"--share:{:.2f}\">{}</td>", right ? " class=\"right\"" : "",
                     right ? share : share / largest, count);
}

std::string matrix_html(const GroupConfusion& g) {
  const Confusion& c = g.sum;
  double largest = 0;
  for (const auto& m : c.worst(c.classes.size() * c.classes.size()))
    largest = std::max(largest, static_cast<double>(m.images) / static_cast<double>(c.images(m.label)));
  std::string out = "<div class=\"wide\"><table class=\"confusion\">\n<tr><th>class</th><th>%</th>";
  for (const std::string& name : c.classes) out += fmt::format("<th><span>{}</span></th>", html_escaped(shown(name)));
  out += "</tr>\n";
  for (size_t k = 0; k < c.classes.size(); ++k) {
    out += fmt::format("<tr><th>{}</th><td>{}</td>", html_escaped(shown(c.classes[k])), percent_text(c.recall(k)));
    for (size_t j = 0; j < c.classes.size(); ++j) out += shaded_cell(c, k, j, largest);
    out += "</tr>\n";
  }
  out +=
      "</table></div>\n<p class=\"note\">Test images: a row a class with its accuracy (%), a column for each class "
      "that "
      "they are taken for. Blue is right, orange is wrong, the stronger the more often.</p>\n";
  for (const std::string& note : g.notes) out += fmt::format("<p class=\"note\">{}</p>\n", html_escaped(note));
  return out;
}

std::string lists_html(const GroupConfusion& g) {
  const Confusion& c = g.sum;
  HtmlTable mistakes{.title = fmt::format("{}: the most frequent mistakes", g.name),
                     .header = {"class", "taken for", "images"},
                     .rows = {},
                     .notes = g.notes};
  for (const auto& m : c.worst(kMistakes))
    mistakes.rows.push_back({shown(c.classes[m.label]), shown(c.classes[m.predicted]), std::to_string(m.images)});
  HtmlTable classes{.title = fmt::format("{}: accuracy by class", g.name),
                    .header = {"class", "images", "accuracy %", "precision %"},
                    .rows = {},
                    .notes = {},
                    .folded = true};
  for (size_t k = 0; k < c.classes.size(); ++k)
    classes.rows.push_back(
        {shown(c.classes[k]), std::to_string(c.images(k)), percent_text(c.recall(k)), percent_text(c.precision(k))});
  return html_table(mistakes) + html_table(classes);
}

}  // namespace

std::string confusion_html(const std::vector<RunGroup>& groups, std::vector<std::string>& problems) {
  std::string out;
  for (const RunGroup& group : groups) {
    const GroupConfusion g = of_group(group, problems);
    if (g.runs == 0) continue;
    if (g.sum.classes.size() > kWidestMatrix) {
      out += lists_html(g);
      continue;
    }
    const std::string title = html_escaped(fmt::format("{}: which classes are taken for which", g.name));
    out += groups.size() == 1 ? fmt::format("<h2>{}</h2>\n{}", title, matrix_html(g))
                              : fmt::format("<details><summary>{}</summary>\n{}</details>\n", title, matrix_html(g));
  }
  return out;
}

}  // namespace signstep
