// SPDX-License-Identifier: Apache-2.0
#include "signstep/analysis/analyze_report.h"

#include <algorithm>
#include <cmath>

#include "signstep/analysis/analyze_tables.h"
#include "signstep/base/error.h"

namespace signstep {
namespace {

using Json = nlohmann::ordered_json;

Json number(double v) { return std::isfinite(v) ? Json(v) : Json(nullptr); }
Json share(double part, double whole) { return whole > 0 ? Json(part / whole) : Json(nullptr); }

Json json_of(const SnrProfile& p, const ShapeCounts& shapes) {
  const double judged = p.coordinates - p.silent;
  return {{"coordinates", p.coordinates},
          {"silent", p.silent},
          {"below_floor", p.below_floor},
          {"high_snr_share", share(p.high, judged)},
          {"mean_weight", share(p.weight, judged)},
          {"stationarity_l1", p.l1},
          {"stationarity_l1_raw", p.l1_raw},
          {"stationarity_l2_squared", p.squares},
          {"stationarity_l2_squared_raw", p.squares_raw},
          {"stationarity_weighted", p.weighted},
          {"noise_variance", p.noise},
          {"density", p.density()},
          {"mean_squared_skewness", share(p.skewness_square, p.with_noise)},
          {"mean_excess_kurtosis", share(p.kurtosis, p.with_noise)},
          {"shape_tested", shapes.tested},
          {"symmetric_share", share(shapes.symmetric, shapes.tested)},
          {"unimodal_share", share(shapes.unimodal, shapes.tested)}};
}

std::string label(const BatchAnalysis& a) { return fmt::format("batch {}", a.batch); }
double middle(size_t bin) { return std::sqrt(snr_bin_edge(bin) * snr_bin_edge(bin + 1)); }

NamedChart histogram(const std::vector<BatchAnalysis>& all) {
  NamedChart out{"snr-histogram",
                 "Share of coordinates by signal-to-noise ratio; those below the reference's error have none.",
                 {}};
  out.chart = {.title = "Signal-to-noise ratio of a coordinate",
               .x_label = "S = |g| / sigma, debiased",
               .y_label = "share of coordinates (%)",
               .log_x = true,
               .y_low = 0.0};
  for (const BatchAnalysis& a : all) {
    Series s{.name = fmt::format("{} ({:.0f} % below the floor)", label(a),
                                 100 * a.network.below_floor / a.network.coordinates),
             .x = {},
             .y = {},
             .style = SeriesStyle::kLinePoints};
    for (size_t b = 0; b < kSnrBins; ++b) {
      s.x.push_back(middle(b));
      s.y.push_back(100 * a.network.bins[b].count / a.network.coordinates);
    }
    out.chart.series.push_back(s);
  }
  return out;
}

NamedChart failures(const std::vector<BatchAnalysis>& all) {
  NamedChart out{"sign-failure",
                 "How often a mini-batch has the wrong sign, with three standard errors, against Gauss's bound.",
                 {}};
  out.chart = {.title = "Sign failure by signal-to-noise ratio",
               .x_label = "S = |g| / sigma, debiased",
               .y_label = "failure rate",
               .log_x = true,
               .y_low = 0.0};
  for (const BatchAnalysis& a : all) {
    Series rate{.name = label(a), .x = {}, .y = {}, .style = SeriesStyle::kLinePoints};
    Series bound{.name = label(a) + ", bound", .x = {}, .y = {}, .style = SeriesStyle::kDashed};
    rate.color = bound.color = out.chart.series.size() / 2;
    for (size_t b = 0; b < kSnrBins; ++b) {
      const SnrBin& bin = a.network.bins[b];
      const std::string verdict = a.verdict(b);
      if (verdict.empty() || verdict == "floor") continue;
      rate.x.push_back(middle(b));
      rate.y.push_back(bin.failures / bin.count);
      rate.low.push_back(rate.y.back() - 3 * a.sample.failure_error[b]);
      rate.high.push_back(rate.y.back() + 3 * a.sample.failure_error[b]);
      bound.x.push_back(middle(b));
      bound.y.push_back(bin.bound / bin.count);
    }
    out.chart.series.push_back(rate);
    out.chart.series.push_back(bound);
  }
  return out;
}

struct TensorCurve {
  const char* name;
  double (*share)(const TensorAnalysis&);  // NaN where there is none
};

// Shares by tensor, from the input (left) to the output. Tensors are no steps of anything: no line joins them.
NamedChart by_tensor(const std::vector<BatchAnalysis>& all, const char* file, const char* caption, const char* title,
                     const std::vector<TensorCurve>& curves) {
  NamedChart out{file, caption, {}};
  out.chart = {.title = title, .x_label = "", .y_label = "share", .y_low = 0.0};
  for (const TensorAnalysis& t : all.front().tensors) out.chart.x_names.push_back(t.name);
  for (const BatchAnalysis& a : all) {
    for (const TensorCurve& curve : curves) {
      Series s{.name = fmt::format("{}, {}", label(a), curve.name), .x = {}, .y = {}};
      s.style = SeriesStyle::kPoints;
      s.color = out.chart.series.size();
      for (size_t t = 0; t < a.tensors.size(); ++t) {
        s.x.push_back(static_cast<double>(t));
        s.y.push_back(curve.share(a.tensors[t]));
      }
      out.chart.series.push_back(s);
    }
  }
  return out;
}

NamedChart signal(const std::vector<BatchAnalysis>& all) {
  return by_tensor(
      all, "signal", "Mean weight w(S) and the share of coordinates with S above 1.155.", "Signal by tensor",
      {{"mean w(S)",
        [](const TensorAnalysis& t) { return t.profile.weight / (t.profile.coordinates - t.profile.silent); }},
       {"S > 1.155",
        [](const TensorAnalysis& t) { return t.profile.high / (t.profile.coordinates - t.profile.silent); }}});
}

NamedChart shapes(const std::vector<BatchAnalysis>& all) {
  return by_tensor(all, "shapes",
                   "Share of coordinates, by a sample, whose noise passes as symmetric and as unimodal, at level 5 %.",
                   "Shape of the noise by tensor",
                   {{"symmetric", [](const TensorAnalysis& t) { return t.shapes.symmetric / t.shapes.tested; }},
                    {"unimodal", [](const TensorAnalysis& t) { return t.shapes.unimodal / t.shapes.tested; }}});
}

NamedChart density(const std::vector<BatchAnalysis>& all) {
  return by_tensor(
      all, "density",
      "l1^2 / (n l2^2) of the reference gradient: 1 when all coordinates are equally large, 1/n when one is.",
      "Gradient density by tensor", {{"density", [](const TensorAnalysis& t) {
                                        return t.profile.squares_raw > 0 ? t.profile.density() : std::nan("");
                                      }}});
}

NamedChart stationarity(const std::vector<BatchAnalysis>& all) {
  NamedChart out{
      "stationarity", "At the same parameters, by batch size: the gradient's norms, and what a sign sees of them.", {}};
  out.chart = {.title = "Stationarity", .x_label = "batch size", .y_label = "debiased", .log_x = true, .log_y = true};
  Series l1{.name = "l1", .x = {}, .y = {}, .style = SeriesStyle::kLinePoints}, l2 = l1, weighted = l1;
  l2.name = "l2";
  weighted.name = "SNR-weighted";
  for (const BatchAnalysis& a : all) {
    for (Series* s : {&l1, &l2, &weighted}) s->x.push_back(static_cast<double>(a.batch));
    l1.y.push_back(a.network.l1);
    l2.y.push_back(std::sqrt(std::max(0.0, a.network.squares)));
    weighted.y.push_back(a.network.weighted);
  }
  out.chart.series = {l1, l2, weighted};
  return out;
}

NamedChart dither(const std::vector<BatchAnalysis>& all) {
  NamedChart out{"dither",
                 "Expected first-order descent over the l1 norm: promised for symmetric unimodal noise and, against an "
                 "epoch's gradient, measured on the sample with three standard errors and predicted from four moments.",
                 {}};
  out.chart = {
      .title = "What dither would do", .x_label = "dither over the tensor's rms", .y_label = "descent / l1 norm"};
  for (const BatchAnalysis& a : all) {
    Series measured{.name = label(a) + ", measured", .x = {}, .y = {}, .style = SeriesStyle::kLinePoints};
    Series predicted{.name = label(a) + ", predicted", .x = {}, .y = {}, .style = SeriesStyle::kDotted};
    Series promised{.name = label(a) + ", promised", .x = {}, .y = {}, .style = SeriesStyle::kDashed};
    measured.color = predicted.color = promised.color = static_cast<size_t>(&a - all.data());
    for (size_t l = 0; l < kLevels; ++l) {
      for (Series* s : {&measured, &predicted, &promised}) s->x.push_back(kDitherLevels[l]);
      const double error = 3 * a.sample.descent_error[l] / a.network.l1;
      measured.y.push_back(a.sample.descent[l].mean / a.network.l1);
      measured.low.push_back(measured.y.back() - error);
      measured.high.push_back(measured.y.back() + error);
      predicted.y.push_back(a.network.predicted[l] / a.network.l1);
      promised.y.push_back(a.network.promised[l] / a.network.l1);
    }
    if (a.reference == Reference::kEpoch) out.chart.series.insert(out.chart.series.end(), {measured, predicted});
    out.chart.series.push_back(promised);
  }
  return out;
}

}  // namespace

Json to_json(const BatchAnalysis& a) {
  Json out = {{"batch", a.batch},
              {"draws", a.draws},
              {"reference", a.reference == Reference::kEpoch ? "epoch" : "draws"},
              {"reference_batches", a.reference_batches},
              {"reference_error", a.reference_error},
              {"reference_error_at_most", a.reference_at_most},
              {"judged_from", a.judged_from()},
              {"loss", a.loss.mean},
              {"loss_error", a.loss.standard_error()},
              {"seconds", a.seconds},
              {"network", json_of(a.network, a.shapes)}};
  for (size_t b = 0; b < kSnrBins; ++b) {
    const SnrBin& bin = a.network.bins[b];
    out["snr_bins"].push_back({{"from", snr_bin_edge(b)},
                               {"to", snr_bin_edge(b + 1)},
                               {"coordinates", bin.count},
                               {"failure_rate", share(bin.failures, bin.count)},
                               {"failure_rate_error", number(a.sample.failure_error[b])},
                               {"bound", share(bin.bound, bin.count)},
                               {"verdict", a.verdict(b)}});
  }
  // The measured and predicted descents need a reference that the draws had no part in.
  const bool independent = a.reference == Reference::kEpoch;
  for (size_t l = 0; l < kLevels; ++l) {
    Json level = {{"level", kDitherLevels[l]}, {"promised_descent", a.network.promised[l]}};
    level["predicted_descent"] = independent ? Json(a.network.predicted[l]) : Json(nullptr);
    level["measured_descent"] = independent ? Json(a.sample.descent[l].mean) : Json(nullptr);
    level["measured_descent_error"] = independent ? Json(a.sample.descent_error[l]) : Json(nullptr);
    level["gain"] = independent ? Json(a.sample.gain[l].mean) : Json(nullptr);
    level["gain_error"] = independent ? Json(a.sample.gain_error[l]) : Json(nullptr);
    level["mean_fixed_point"] = share(a.network.fixed_point[l], a.network.with_noise);
    out["dither"].push_back(level);
  }
  out["picture_verdict"] = picture_verdict(a);
  out["descent_verdict"] = descent_verdict(a);
  out["dither_advice"] = dither_advice(a);
  out["shape_power"] = {{"level", kShapeLevel},
                        {"symmetry_gaussian", a.power.gaussian_asymmetric},
                        {"symmetry_skewness_0.5", a.power.skewness_half},
                        {"symmetry_skewness_1", a.power.skewness_one},
                        {"unimodality_gaussian", a.power.gaussian_multimodal},
                        {"unimodality_bumps_3_sd_apart", a.power.bumps3},
                        {"unimodality_bumps_4_sd_apart", a.power.bumps4}};
  for (const TensorAnalysis& t : a.tensors) {
    Json entry = {{"name", t.name}, {"rms", t.rms}};
    entry.update(json_of(t.profile, t.shapes));
    for (const SnrBin& bin : t.profile.bins) entry["snr_counts"].push_back(bin.count);
    for (const SnrBin& bin : t.profile.bins) entry["failure_sums"].push_back(bin.failures);
    out["tensors"].push_back(entry);
  }
  return out;
}

std::vector<NamedChart> analyze_charts(const std::vector<BatchAnalysis>& all) {
  std::vector<NamedChart> charts{histogram(all), failures(all), signal(all), shapes(all), density(all), dither(all)};
  if (all.size() > 1) charts.push_back(stationarity(all));
  return charts;
}

std::vector<BlockAnalysis> by_block(const BatchAnalysis& analysis) {
  std::vector<BlockAnalysis> blocks;
  for (const TensorAnalysis& t : analysis.tensors) {
    const size_t first = t.name.find('.'), second = t.name.find('.', first + 1);
    const std::string name = t.name.substr(0, second == std::string::npos ? first : second);
    if (blocks.empty() || blocks.back().name != name) blocks.push_back({name, {}, {}});
    BlockAnalysis& block = blocks.back();
    block.profile += t.profile;
    block.shapes.tested += t.shapes.tested;
    block.shapes.symmetric += t.shapes.symmetric;
    block.shapes.unimodal += t.shapes.unimodal;
  }
  return blocks;
}

std::string dither_advice(const BatchAnalysis& a) {
  const auto cost = [&](size_t l) { return 100 * (1 - a.network.promised[l] / a.network.promised[0]); };
  const size_t one = 3;  // level 1
  if (!(a.network.promised[0] > 0))
    return "No signal is left above the reference's error; draw more, or at a larger batch.";
  if (a.reference == Reference::kDraws) {
    return fmt::format(
        "Level 1 would cost {:.0f} % of the promised descent. Whether it pays needs a reference that the draws had "
        "no part in: --reference epoch.",
        cost(one));
  }
  size_t best = 0;
  for (size_t l = 1; l < kLevels; ++l)
    if (a.sample.gain[l].mean > a.sample.gain[best].mean) best = l;
  if (best > 0 && a.sample.gain[best].mean > 3 * a.sample.gain_error[best]) {
    return fmt::format(
        "Dither pays here: at level {:g} the expected step descends {:.4f} ± {:.4f} of the l1 norm more than without, "
        "because noise that is not symmetric and unimodal turns signs around that dither turns back.",
        kDitherLevels[best], a.sample.gain[best].mean / a.network.l1, a.sample.gain_error[best] / a.network.l1);
  }
  const double gain = a.sample.gain[one].mean, error = a.sample.gain_error[one];
  return fmt::format(
      "{} in first-order descent here: level 1 changes the expected descent by {:.4f} ± {:.4f} of the l1 "
      "norm, and costs {:.0f} % of what is promised.",
      gain < -3 * error ? "Dither does not pay" : "It cannot be told whether dither pays", gain / a.network.l1,
      error / a.network.l1, cost(one));
}

}  // namespace signstep
