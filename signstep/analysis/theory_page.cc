// SPDX-License-Identifier: Apache-2.0
#include "signstep/analysis/theory_page.h"

#include "signstep/analysis/theory_tables.h"
#include "signstep/base/error.h"

namespace signstep {
Page theory_page(const std::vector<RateCurve>& rates, const std::vector<ValleyCurve>& valley,
                 const TheoryOptions& options) {
  Page page{
      .title = "The rate bound on problems with known answers",
      .verdict = theory_verdict(rates),
      .facts = {fmt::format("SignSGD at the best constant rate for each K, mean over {} seeds.", options.seeds)},
      .words = {{"SNR-weighted stationarity",
                 "the mean over the steps of the sum of w(S) |g| over the coordinates: what the theorem bounds."},
                {"w(S)",
                 "what a sign step sees of a coordinate: S / sqrt(3) for a small signal-to-noise ratio "
                 "S, near 1 for a large one."},
                {"ratio", "measured over bound: at most 1 where the theorem applies, but for its standard error."},
                {"slope",
                 "of the SNR-weighted stationarity over K in log-log; the theorem's rate is -1/2. l1 "
                 "slope: the same of the gradient's l1 norm, which falls more slowly."},
                {"never settles", "the mean gap was not yet at 7 % of the first one when K began."},
                {"dither",
                 "standard deviation of the noise added before the sign, over that of one sample's "
                 "gradient (sd), or in the gradient's units (counterexample)."}},
      .tables = {}};
  for (const std::string& problem : problems_of(rates))
    page.tables.push_back(titled("Rates: " + problem, rate_table(rates, problem)));
  HtmlTable table = titled("Counterexample", valley_table(valley));
  table.notes = {fmt::format("Slope 1/4; one sample's gradient is +4 (probability 1/4) or -1 (3/4); {} steps.",
                             valley.front().end.steps)};
  page.tables.push_back(std::move(table));
  return page;
}

}  // namespace signstep
