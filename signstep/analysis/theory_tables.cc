// SPDX-License-Identifier: Apache-2.0
#include "signstep/analysis/theory_tables.h"

#include <algorithm>
#include <cmath>

#include "signstep/base/error.h"

namespace signstep {
namespace {

std::string verdict(const RateCurve& c) {
  const std::string settles = c.settled ? "" : ", never settles";
  if (c.holds()) return (c.assumptions() ? "holds" : "holds here") + settles;
  return (c.assumptions() ? "BROKEN: please report" : "broken") + settles;
}

const char* drift(const ValleyCurve& c) {
  return c.expected_sign < -1e-3 ? "walks uphill" : c.expected_sign < 1e-3 ? "no drift" : "descends";
}

}  // namespace

TextTable rate_table(const std::vector<RateCurve>& rates, const std::string& problem) {
  TextTable table{
      .header = {problem, "batch", "dither", "steps K", "ratio, largest K", "worst", "slope", "l1 slope", "bound"},
      .rows = {}};
  for (const RateCurve& c : rates) {
    if (c.problem != problem) continue;
    table.rows.push_back({noise_name(c.noise), std::to_string(c.batch),
                          c.dither > 0 ? fmt::format("{:g} sd", c.dither) : "",
                          fmt::format("{} - {}", c.points.front().steps, c.points.back().steps),
                          fmt::format("{:.3f} ± {:.3f}", c.points.back().ratio(), c.points.back().ratio_error()),
                          fmt::format("{:.2f}", c.worst_ratio()), fmt::format("{:.3f}", c.weighted_slope),
                          fmt::format("{:.3f}", c.l1_slope), verdict(c)});
  }
  return table;
}

std::vector<std::string> problems_of(const std::vector<RateCurve>& rates) {
  std::vector<std::string> problems;
  for (const RateCurve& c : rates)
    if (std::find(problems.begin(), problems.end(), c.problem) == problems.end()) problems.push_back(c.problem);
  return problems;
}

TextTable valley_table(const std::vector<ValleyCurve>& valley) {
  TextTable table{
      .header = {"dither", "E[sign]", "w(S)", "sign stops at", "f - f* after, over before", "stationarity / bound", ""},
      .rows = {}};
  for (const ValleyCurve& c : valley) {
    table.rows.push_back({fmt::format("{:.4g}", c.dither), fmt::format("{:.4f}", c.expected_sign),
                          fmt::format("{:.3f}", c.promise),
                          std::isfinite(c.fixed_point) ? fmt::format("g = {:.3f}", c.fixed_point) : "nowhere",
                          fmt::format("{:.3f} ± {:.3f}", c.end.gap.mean, c.end.gap.standard_error()),
                          fmt::format("{:.3f}", c.end.ratio()), drift(c)});
  }
  return table;
}

std::string theory_verdict(const std::vector<RateCurve>& rates) {
  struct Count {
    size_t cases = 0, broken = 0;
    void add(const RateCurve& c) {
      ++cases;
      broken += !c.holds();
    }
    std::string text() const { return fmt::format("{} of {}", broken, cases); }
  };
  uint32_t largest = 0;
  for (const RateCurve& c : rates) largest = std::max(largest, static_cast<uint32_t>(c.batch));
  Count under, beyond, at_largest, dithered;
  for (const RateCurve& c : rates) {
    (c.assumptions() ? under : beyond).add(c);
    if (c.assumptions()) continue;
    if (c.dither > 0)
      dithered.add(c);
    else if (c.batch == largest)
      at_largest.add(c);
  }
  std::string text =
      under.broken == 0
          ? fmt::format("The bound holds in all {} cases whose noise is symmetric and unimodal.", under.cases)
          : fmt::format("The bound is BROKEN in {} cases whose noise is symmetric and unimodal: please report it.",
                        under.text());
  if (beyond.cases == 0) return text;
  text += fmt::format(" It breaks in {} whose noise is not", beyond.text());
  if (at_largest.cases > 0) text += fmt::format("; at batch {} without dither in {}", largest, at_largest.text());
  if (dithered.cases > 0) text += fmt::format("; with dither in {}", dithered.text());
  return text + ".";
}

}  // namespace signstep
