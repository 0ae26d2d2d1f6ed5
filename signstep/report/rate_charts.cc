// SPDX-License-Identifier: Apache-2.0
#include "signstep/report/rate_charts.h"

#include <algorithm>
#include <cmath>

#include "signstep/report/group_series.h"

namespace signstep {
namespace {

// A sign rule's rate and SGD's lie decades apart, so the axis is logarithmic. It ends where a decaying schedule no
// longer matters; what is smaller lies on its edge.
void keep_on_axis(Chart& chart, double low) {
  chart.y_low = low;
  for (Series& s : chart.series)
    for (double& y : s.y)
      if (y < low) y = low;
}

NamedChart learning_rates(const std::vector<RunGroup>& groups) {
  NamedChart out{"learning-rate",
                 "Learning rate of the schedule; dotted, in the same colour: the rate of SGD after a switch. What "
                 "is smaller than a 100th of the lowest peak lies on the axis.",
                 {.title = "Learning rate", .x_label = "epoch", .y_label = "learning rate", .log_y = true}};
  double smallest_peak = INFINITY;
  for (size_t g = 0; g < groups.size(); ++g) {
    GroupCurve rate = step_curve(groups[g], &StepCurve::learning_rate);
    if (!has_values(rate, true)) continue;
    smallest_peak = std::min(smallest_peak, *std::max_element(rate.mean.begin(), rate.mean.end()));
    rate.low.clear();
    rate.high.clear();
    out.chart.series.push_back(series_of(groups[g], std::move(rate), g));
    const std::vector<double> switched = switch_epochs(groups[g]);
    if (switched.empty()) continue;
    GroupCurve sgd = step_curve(groups[g], &StepCurve::sgd_rate);
    for (size_t i = 0; i < sgd.x.size(); ++i)
      if (sgd.x[i] < switched.front()) sgd.mean[i] = NAN;
    sgd.low.clear();
    sgd.high.clear();
    if (!has_values(sgd, true)) continue;
    out.chart.series.push_back(series_of(groups[g], std::move(sgd), g));
    out.chart.series.back().style = SeriesStyle::kDotted;
    out.chart.series.back().of = std::exchange(out.chart.series.back().name, "");
  }
  if (std::isfinite(smallest_peak)) keep_on_axis(out.chart, smallest_peak / 100);
  return out;
}

NamedChart dither_levels(const std::vector<RunGroup>& groups) {
  NamedChart out{"dither",
                 "Noise before the sign: sigma as a multiple c of the tensor's rms (dither relative), or in units of "
                 "the gradient (absolute).",
                 {.title = "Dither sigma", .x_label = "epoch", .y_label = "sigma / rms, or sigma"}};
  for (size_t g = 0; g < groups.size(); ++g) {
    GroupCurve curve = step_curve(groups[g], &StepCurve::dither_level);
    if (has_values(curve, true)) out.chart.series.push_back(series_of(groups[g], std::move(curve), g));
  }
  return out;
}

void mark_switches(Chart& chart, const RunGroup& group, size_t color) {
  for (const double epoch : switch_epochs(group))
    chart.markers.push_back({.x = epoch, .name = chart.markers.empty() ? "switch to SGD" : "", .color = color});
}

NamedChart gammas(const std::vector<RunGroup>& groups) {
  NamedChart out{"gamma",
                 "Points: gamma, the estimate of SGD's rate from one sign step. Lines: the average Lambda times the "
                 "scheduled rate, at which "
                 "SGD takes over. Vertical lines: the switch.",
                 {.title = "gamma and Lambda x rate", .x_label = "epoch", .y_label = "SGD rate", .log_y = true}};
  std::vector<Series> lines;  // drawn over the points
  for (size_t g = 0; g < groups.size(); ++g) {
    GroupCurve gamma = step_curve(groups[g], &StepCurve::gamma), rate = step_curve(groups[g], &StepCurve::sgd_rate);
    if (!has_values(rate, true)) continue;
    gamma.low.clear();
    gamma.high.clear();
    Series points = series_of(groups[g], std::move(gamma), g);
    points.style = SeriesStyle::kPoints;
    points.of = std::exchange(points.name, "");
    out.chart.series.push_back(std::move(points));
    lines.push_back(series_of(groups[g], std::move(rate), g));
    mark_switches(out.chart, groups[g], g);
  }
  out.chart.series.insert(out.chart.series.end(), lines.begin(), lines.end());
  return out;
}

NamedChart lambdas(const std::vector<RunGroup>& groups) {
  NamedChart out{"lambda",
                 "Lambda: the running average of gamma over the scheduled rate; after the switch (vertical lines) it "
                 "stays, unless switch_follow is on.",
                 {.title = "Lambda", .x_label = "epoch", .y_label = "Lambda", .log_y = true}};
  for (size_t g = 0; g < groups.size(); ++g) {
    GroupCurve curve = step_curve(groups[g], &StepCurve::lambda);
    if (!has_values(curve, true)) continue;
    out.chart.series.push_back(series_of(groups[g], std::move(curve), g));
    mark_switches(out.chart, groups[g], g);
  }
  return out;
}

}  // namespace

void add_rate_charts(const std::vector<RunGroup>& groups, std::vector<NamedChart>& charts) {
  charts.push_back(learning_rates(groups));
  charts.push_back(dither_levels(groups));
  charts.push_back(gammas(groups));
  charts.push_back(lambdas(groups));
}

}  // namespace signstep
