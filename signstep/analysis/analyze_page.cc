// SPDX-License-Identifier: Apache-2.0
#include "signstep/analysis/analyze_page.h"

#include "signstep/analysis/analyze_report.h"
#include "signstep/analysis/analyze_tables.h"
#include "signstep/base/error.h"

namespace signstep {

Page analyze_page(const std::vector<BatchAnalysis>& analyses, const std::vector<std::string>& what,
                  double average_noise) {
  Page page{.title = "Signal and noise of the gradients", .verdict = "", .facts = what, .words = {}, .tables = {}};
  for (const BatchAnalysis& a : analyses) {
    page.verdict += page.verdict.empty() ? "" : "\n";
    page.verdict += picture_verdict(a);
    for (const std::string& sentence : {descent_verdict(a), dither_advice(a)})
      if (!sentence.empty()) page.verdict += " " + sentence;
    if (const std::string average = average_text(a, average_noise); !average.empty())
      page.facts.push_back((analyses.size() > 1 ? fmt::format("Batch {}: ", a.batch) : "") + average);
    page.facts.push_back(measured_text(a) + ".");
    page.facts.push_back(stationarity_text(a) + ".");
    const std::string at = analyses.size() > 1 ? fmt::format(", batch {}", a.batch) : "";
    page.tables.push_back(titled("Signal and shape of the noise by block" + at, block_table(a), {power_text(a)}));
    page.tables.push_back(titled("How often signs fail" + at, failure_table(a)));
    page.tables.push_back(
        titled("What dither would do" + at, dither_table(a),
               {"Levels of relative dither. First-order descent per learning rate, over the l1 norm."}));
  }
  page.words = {
      {"S = |g| / sigma",
       "signal-to-noise ratio of a coordinate: the size of its mean gradient over the standard "
       "deviation of a mini-batch's. Debiased: the reference's own error is taken off, on the average over squares; "
       "what is "
       "cut off at 0 leaves up to 0.34 of that error in the mean."},
      {"w(S)",
       "the weight of a coordinate in the bound, 1 - 2 times the largest chance of a wrong sign: S / sqrt(3) "
       "for small S, near 1 for large. What a sign step sees of the gradient is w(S) |g|."},
      {"S > 1.155", "from 2 / sqrt(3) on, Gauss's bound falls as 1 / S^2; below, it is a straight line."},
      {"no signal", "coordinates whose mean lies within the reference's error."},
      {"density", "l1^2 / (n l2^2): 1 when all n coordinates are equally large, 1 / n when one is all."},
      {"symmetric, unimodal",
       "share of coordinates, by a sample, whose noise passes a test of it at level 5 %: what the bound assumes. Where "
       "all "
       "noise is so, 95 % pass."},
      {"level", "of relative dither: its standard deviation over the rms of the tensor's mini-batch gradient."},
      {"promised", "descent that the bound guarantees at a level of dither, if noise is symmetric and unimodal."},
      {"predicted", "descent by a formula from four moments of the noise, without that assumption."},
      {"measured", "descent of the sampled coordinates' own draws."},
      {"fixed point |g*|",
       "how large a gradient must be for a dithered sign to point down on average, in standard "
       "deviations of the noise; 0 for symmetric noise."},
  };
  return page;
}

}  // namespace signstep
