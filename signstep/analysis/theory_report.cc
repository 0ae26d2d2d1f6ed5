// SPDX-License-Identifier: Apache-2.0
#include "signstep/analysis/theory_report.h"

#include <algorithm>
#include <cmath>

#include "signstep/base/error.h"
#include "signstep/base/version.h"
#include "signstep/io/config.h"
#include "signstep/theory/bounds.h"

namespace signstep {
namespace {

using Json = nlohmann::ordered_json;

size_t color_of(NoiseKind kind) { return static_cast<size_t>(kind) + 1; }  // 0 is the bound's

std::string label(const RateCurve& c) {
  return c.dither > 0 ? fmt::format("{}, dither {:g} sd", noise_name(c.noise), c.dither) : noise_name(c.noise);
}

// Mean over the seeds with a band of one standard error.
Series series_of(const RateCurve& curve, Moments RatePoint::*value) {
  Series s{.name = label(curve),
           .x = {},
           .y = {},
           .style = curve.dither > 0 ? SeriesStyle::kDotted : SeriesStyle::kLinePoints,
           .color = color_of(curve.noise)};
  for (const RatePoint& p : curve.points) {
    const Moments& m = p.*value;
    s.x.push_back(static_cast<double>(p.steps));
    s.y.push_back(m.mean);
    s.low.push_back(m.mean - m.standard_error());
    s.high.push_back(m.mean + m.standard_error());
  }
  return s;
}

Series bound_series(const std::vector<RateCurve>& rates, const std::string& problem) {
  Series s{.name = "bound", .x = {}, .y = {}, .style = SeriesStyle::kDashed, .color = 0};
  std::vector<std::pair<double, double>> points;
  for (const RateCurve& c : rates)
    if (c.problem == problem)
      for (const RatePoint& p : c.points) points.emplace_back(p.steps, p.bound);
  std::sort(points.begin(), points.end());
  points.erase(std::unique(points.begin(), points.end()), points.end());
  for (const auto& [x, y] : points) s.x.push_back(x), s.y.push_back(y);
  return s;
}

NamedChart failure_chart() {
  NamedChart out{
      "failure-bound",
      "Exact probability that the sign fails, against Gauss's bound: only the noises that are not both symmetric "
      "and unimodal exceed it.",
      {}};
  out.chart = {
      .title = "Sign failure", .x_label = "S = |g| / sigma", .y_label = "probability", .log_x = true, .y_low = 0.0};
  Series bound{.name = "Gauss's bound", .x = {}, .y = {}, .style = SeriesStyle::kDashed, .color = 0};
  for (double s = 0.03; s < 10; s *= 1.03) bound.x.push_back(s), bound.y.push_back(sign_failure_bound(s));
  for (const NoiseKind kind : all_noises()) {
    Series series{.name = noise_name(kind), .x = {}, .y = {}, .color = color_of(kind)};
    for (const double s : bound.x) series.x.push_back(s), series.y.push_back(noise_cdf(kind, -s));
    out.chart.series.push_back(series);
  }
  out.chart.series.push_back(bound);
  return out;
}

void add_problem(const std::vector<RateCurve>& rates, const std::string& problem, std::vector<NamedChart>& charts) {
  NamedChart weighted{"rates-" + problem,
                      "SNR-weighted stationarity at batch size 1, mean over the seeds with its standard error.",
                      {}};
  weighted.chart = {.title = "SNR-weighted stationarity: " + problem + ", batch size 1",
                    .x_label = "steps K",
                    .y_label = "mean SNR-weighted stationarity",
                    .log_x = true,
                    .log_y = true};
  NamedChart l1{
      "l1-" + problem, "The l1 norm of the gradient falls more slowly: the rate is the weighted quantity's.", {}};
  l1.chart = {.title = "l1 norm: " + problem + ", batch size 1",
              .x_label = "steps K",
              .y_label = "mean l1 norm of the gradient",
              .log_x = true,
              .log_y = true};
  NamedChart batches{
      "batches-" + problem,
      "Measured over bound at the largest K, by batch size; a mean of many draws comes close to a Gaussian.",
      {}};
  batches.chart = {.title = "Measured over bound: " + problem + ", largest K",
                   .x_label = "batch size",
                   .y_label = "measured / bound",
                   .log_x = true,
                   .log_y = true};
  batches.chart.levels = {{.y = 1, .name = "the bound"}};
  for (const NoiseKind noise : all_noises()) {
    Series ratio{
        .name = noise_name(noise), .x = {}, .y = {}, .style = SeriesStyle::kLinePoints, .color = color_of(noise)};
    for (const RateCurve& c : rates) {
      if (c.problem != problem || c.noise != noise) continue;
      if (c.batch == 1) {
        weighted.chart.series.push_back(series_of(c, &RatePoint::weighted));
        if (c.dither == 0) l1.chart.series.push_back(series_of(c, &RatePoint::l1));
      }
      if (c.dither > 0) continue;
      ratio.x.push_back(c.batch);
      ratio.y.push_back(c.points.back().ratio());
    }
    batches.chart.series.push_back(ratio);
  }
  weighted.chart.series.push_back(bound_series(rates, problem));
  charts.insert(charts.end(), {weighted, l1, batches});
}

NamedChart valley_chart(const std::vector<ValleyCurve>& valley) {
  NamedChart out{"counterexample",
                 "Noise +4 or -1 around a slope of 1/4: plain SignSGD climbs, enough dither brings it down.",
                 {}};
  out.chart = {.title = "Counterexample", .x_label = "step", .y_label = "f - f* over its first value", .log_y = true};
  for (const ValleyCurve& c : valley) {
    Series s{.name = fmt::format("dither {:g}", c.dither), .x = c.steps, .y = {}};
    for (const Moments& m : c.gap) {
      s.y.push_back(m.mean);
      s.low.push_back(m.mean - m.standard_error());
      s.high.push_back(m.mean + m.standard_error());
    }
    out.chart.series.push_back(s);
  }
  return out;
}

Json json_of(const RatePoint& p) {
  return {{"steps", p.steps},
          {"bound", p.bound},
          {"weighted", p.weighted.mean},
          {"weighted_error", p.weighted.standard_error()},
          {"l1", p.l1.mean},
          {"l1_error", p.l1.standard_error()},
          {"final_gap", p.gap.mean},
          {"ratio", p.ratio()},
          {"ratio_error", p.ratio_error()}};
}

}  // namespace

Json to_json(const std::vector<RateCurve>& rates, const std::vector<ValleyCurve>& valley, TheoryOptions options) {
  OptionList list;
  describe(list, options);
  Json out = {{"schema", 1}, {"program", version()}, {"commit", commit()}, {"options", to_json(list)}};
  for (const RateCurve& c : rates) {
    Json points = Json::array();
    for (const RatePoint& p : c.points) points.push_back(json_of(p));
    out["rates"].push_back({{"problem", c.problem},
                            {"noise", noise_name(c.noise)},
                            {"symmetric_unimodal", c.assumptions()},
                            {"batch", c.batch},
                            {"dither_sd", c.dither},
                            {"settled", c.settled},
                            {"weighted_slope", c.weighted_slope},
                            {"l1_slope", c.l1_slope},
                            {"holds", c.holds()},
                            {"points", points}});
  }
  for (const ValleyCurve& c : valley) {
    Json gaps = Json::array();
    for (const Moments& m : c.gap) gaps.push_back(m.mean);
    Json entry = {{"dither", c.dither},
                  {"expected_sign", c.expected_sign},
                  {"weight", c.promise},
                  {"fixed_point", nullptr},
                  {"end", json_of(c.end)},
                  {"steps", c.steps},
                  {"gap", gaps}};
    if (std::isfinite(c.fixed_point)) entry["fixed_point"] = c.fixed_point;
    out["counterexample"].push_back(entry);
  }
  return out;
}

std::vector<NamedChart> theory_charts(const std::vector<RateCurve>& rates, const std::vector<ValleyCurve>& valley) {
  std::vector<NamedChart> charts{failure_chart()};
  for (const char* problem : {"quadratic", "logistic"}) add_problem(rates, problem, charts);
  charts.push_back(valley_chart(valley));
  return charts;
}

}  // namespace signstep
