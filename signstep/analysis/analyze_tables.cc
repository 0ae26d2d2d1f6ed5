// SPDX-License-Identifier: Apache-2.0
#include "signstep/analysis/analyze_tables.h"

#include <algorithm>
#include <cmath>

#include "signstep/analysis/analyze_report.h"
#include "signstep/base/error.h"

namespace signstep {
namespace {

std::string percent(double part, double whole) { return whole > 0 ? fmt::format("{:.1f} %", 100 * part / whole) : "-"; }

std::vector<std::string> block_row(const std::string& name, const SnrProfile& p, const ShapeCounts& shapes) {
  const double judged = p.coordinates - p.silent;
  return {name,
          fmt::format("{:.0f}", p.coordinates),
          p.noise > 0 ? fmt::format("{:.4f}", std::sqrt(std::max(0.0, p.squares) / p.noise)) : "-",
          judged > 0 ? fmt::format("{:.4f}", p.weight / judged) : "-",
          percent(p.high, judged),
          percent(p.below_floor, judged),
          fmt::format("{:.4f}", p.density()),
          percent(shapes.symmetric, shapes.tested),
          percent(shapes.unimodal, shapes.tested)};
}

std::string verdict_text(const std::string& verdict) {
  return verdict == "floor"       ? "not judged: too close to the reference's error"
         : verdict == "undecided" ? "within three errors"
                                  : verdict;
}

}  // namespace

TextTable block_table(const BatchAnalysis& a) {
  TextTable table{.header = {"block", "coordinates", "rms S", "mean w(S)", "S > 1.155", "no signal", "density",
                             "symmetric", "unimodal"},
                  .rows = {}};
  for (const BlockAnalysis& b : by_block(a)) table.rows.push_back(block_row(b.name, b.profile, b.shapes));
  table.rows.push_back(block_row("network", a.network, a.shapes));
  return table;
}

TextTable failure_table(const BatchAnalysis& a) {
  TextTable table{.header = {"S from", "to", "coordinates", "failure rate", "bound", "verdict"}, .rows = {}};
  for (size_t b = 0; b < kSnrBins; ++b) {
    const SnrBin& bin = a.network.bins[b];
    const std::string verdict = a.verdict(b);
    if (verdict.empty()) continue;
    // The sampling error is unknown where fewer than two of the sampled coordinates fall into the bin.
    const double error = a.sample.failure_error[b];
    const std::string spread = std::isfinite(error) ? fmt::format(" ± {:.4f}", error) : "";
    table.rows.push_back({fmt::format("{:.4f}", snr_bin_edge(b)), fmt::format("{:.4f}", snr_bin_edge(b + 1)),
                          fmt::format("{:.0f}", bin.count), fmt::format("{:.4f}{}", bin.failures / bin.count, spread),
                          fmt::format("{:.4f}", bin.bound / bin.count), verdict_text(verdict)});
  }
  return table;
}

TextTable dither_table(const BatchAnalysis& a) {
  TextTable table{.header = {"dither", "promised", "predicted", "measured", "fixed point |g*|"}, .rows = {}};
  const bool independent = a.reference == Reference::kEpoch;
  for (size_t l = 0; l < kLevels; ++l) {
    table.rows.push_back({fmt::format("{:g}", kDitherLevels[l]),
                          fmt::format("{:.5f}", a.network.promised[l] / a.network.l1),
                          independent ? fmt::format("{:.5f}", a.network.predicted[l] / a.network.l1) : "-",
                          independent ? fmt::format("{:.5f} ± {:.5f}", a.sample.descent[l].mean / a.network.l1,
                                                    a.sample.descent_error[l] / a.network.l1)
                                      : "-",
                          fmt::format("{:.5f} sigma", a.network.fixed_point[l] / a.network.with_noise)});
  }
  return table;
}

std::string measured_text(const BatchAnalysis& a) {
  const std::string reference =
      a.reference == Reference::kEpoch
          ? fmt::format("reference: an epoch of {} batches, error {:.3f} sigma (at most {:.3f})", a.reference_batches,
                        a.reference_error, a.reference_at_most)
          : fmt::format("reference: the mean of the draws, error 1/sqrt(K) = {:.4f} sigma", a.reference_error);
  return fmt::format("Batch {}: {} draws with replacement, loss {:.4f} ± {:.4f}; {}", a.batch, a.draws, a.loss.mean,
                     a.loss.standard_error(), reference);
}

std::string power_text(const BatchAnalysis& a) {
  if (a.draws < kLeastDraws)
    return fmt::format("{} draws are too few to test the noise's shape; from {} on it is tested.", a.draws,
                       kLeastDraws);
  return fmt::format(
      "Shape tests at level 5 %, {} draws. Symmetry rejects {:.0f} % of Gaussian samples, {:.0f} % at skewness 0.5, "
      "{:.0f} % at 1; unimodality {:.0f} % of Gaussian ones, {:.0f} % of two bumps 3 sd apart, {:.0f} % 4 sd apart.",
      a.draws, 100 * a.power.gaussian_asymmetric, 100 * a.power.skewness_half, 100 * a.power.skewness_one,
      100 * a.power.gaussian_multimodal, 100 * a.power.bumps3, 100 * a.power.bumps4);
}

std::string stationarity_text(const BatchAnalysis& a) {
  return fmt::format("Stationarity: l1 {:.4g}, l2 {:.4g}, SNR-weighted {:.4g} (debiased; raw l1 {:.4g}, l2 {:.4g})",
                     a.network.l1, std::sqrt(std::max(0.0, a.network.squares)), a.network.weighted, a.network.l1_raw,
                     std::sqrt(a.network.squares_raw));
}

std::string picture_verdict(const BatchAnalysis& a) {
  size_t judged = 0, over = 0, under = 0;
  double coordinates = 0, magnitude = 0;
  for (size_t b = 0; b < kSnrBins; ++b) {
    const std::string verdict = a.verdict(b);
    over += verdict == "over";
    under += verdict == "under";
    if (verdict.empty() || verdict == "floor") continue;
    ++judged;
    coordinates += a.network.bins[b].count;
    magnitude += a.network.bins[b].magnitude;
  }
  if (judged == 0) {
    return fmt::format(
        "Batch {}: nothing can be said of Gauss's bound, as no range of S lies far enough above the reference's error. "
        "Draw "
        "more, or at a larger batch.",
        a.batch);
  }
  const std::string ranges = fmt::format(
      "{} range{} of S that can be judged ({} of the coordinates, {} of the l1 norm)", judged, judged == 1 ? "" : "s",
      percent(coordinates, a.network.coordinates - a.network.silent), percent(magnitude, a.network.l1));
  if (over > 0)
    return fmt::format(
        "Batch {}: the small-batch picture does not hold everywhere: signs fail more often than Gauss's bound allows "
        "in {} of "
        "{}.",
        a.batch, over, ranges);
  if (under == judged)
    return fmt::format(
        "Batch {}: the small-batch picture holds where it can be judged: signs fail less often than Gauss's bound "
        "allows in all "
        "of {}.",
        a.batch, ranges);
  return fmt::format(
      "Batch {}: nothing contradicts the small-batch picture: of {}, {}.", a.batch, ranges,
      under == 0 ? "none is surely below Gauss's bound, and none above it"
                 : fmt::format("{} surely below Gauss's bound, and the others are within three standard errors of it",
                               under == 1 ? "1 is" : fmt::format("{} are", under)));
}

std::string descent_verdict(const BatchAnalysis& a) {
  if (a.reference != Reference::kEpoch) return "";
  const double measured = a.sample.descent[0].mean, error = a.sample.descent_error[0], promised = a.network.promised[0];
  const char* place = measured - promised > 3 * error   ? "above"
                      : promised - measured > 3 * error ? "below"
                                                        : "within three standard errors of";
  return fmt::format("A sign step descends {:.4f} ± {:.4f} of the l1 norm, {} the {:.4f} that the bound promises.",
                     measured / a.network.l1, error / a.network.l1, place, promised / a.network.l1);
}

std::string average_text(const BatchAnalysis& a, double noise) {
  if (noise == 1) return "";
  const double squares = std::max(0.0, a.network.squares);
  const double level = std::sqrt((squares + a.network.noise) / (squares + noise * a.network.noise));
  return fmt::format(
      "The figures are of SignSGD without momentum. The run's optimizer takes the sign of an average, whose noise is "
      "{:.3f} "
      "of a mini-batch's: S is up to {:.2f} times as large there, and level 1 here is level {:.2f} of its relative "
      "dither.",
      std::sqrt(noise), 1 / std::sqrt(noise), level);
}

}  // namespace signstep
