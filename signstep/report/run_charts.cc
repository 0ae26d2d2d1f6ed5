// SPDX-License-Identifier: Apache-2.0
#include "signstep/report/run_charts.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "signstep/base/error.h"
#include "signstep/report/group_series.h"
#include "signstep/report/noise_scale.h"
#include "signstep/report/rate_charts.h"

namespace signstep {
namespace {

bool any_band(const Chart& chart) {
  return std::any_of(chart.series.begin(), chart.series.end(), [](const Series& s) { return !s.low.empty(); });
}

NamedChart by_curve(const std::vector<RunGroup>& groups, const char* file,
                    const std::function<GroupCurve(const RunGroup&)>& curve_of, const char* title, const char* label) {
  NamedChart out{file, title, {.title = title, .x_label = "epoch", .y_label = label}};
  for (size_t g = 0; g < groups.size(); ++g) {
    GroupCurve curve = curve_of(groups[g]);
    if (has_values(curve)) out.chart.series.push_back(series_of(groups[g], std::move(curve), g));
  }
  out.chart.whole_x = true;
  return out;
}

template <class Value>  // an EpochFigure, or a function of run and epoch
NamedChart by_epoch(const std::vector<RunGroup>& groups, const char* file, Value value, const char* title,
                    const char* label) {
  return by_curve(
      groups, file, [&](const RunGroup& group) { return epoch_curve(group, value); }, title, label);
}

// Mean over the points around each, which weigh 0.8 to the power of their distance: about 9 of them.
std::vector<double> smoothed(const std::vector<double>& values) {
  constexpr double kNear = 0.8;
  const size_t n = values.size();
  std::vector<double> sums(n), weights(n);
  const auto sweep = [&](auto&& at) {
    double sum = 0, weight = 0;
    for (size_t i = 0; i < n; ++i) {
      sum *= kNear;
      weight *= kNear;
      sums[at(i)] += sum;
      weights[at(i)] += weight;
      const double v = values[at(i)];
      if (!std::isfinite(v)) continue;
      sum += v;
      weight += 1;
    }
  };
  sweep([](size_t i) { return i; });
  sweep([n](size_t i) { return n - 1 - i; });
  std::vector<double> out(n);
  for (size_t i = 0; i < n; ++i) {
    const bool own = std::isfinite(values[i]);
    const double weight = weights[i] + (own ? 1 : 0);
    out[i] = weight > 0 ? (sums[i] + (own ? values[i] : 0)) / weight : std::nan("");
  }
  return out;
}

// Pale: the means as they are; over them the smoothed curves.
NamedChart by_step(const std::vector<RunGroup>& groups, const char* file, std::vector<double> StepCurve::*figure,
                   const char* title, const char* label) {
  NamedChart out{
      file,
      fmt::format("{}: pale as recorded, means of some steps{}; strong smoothed over some 9 points around each.", title,
                  groups.size() > 1 ? " and over seeds" : ""),
      {.title = title, .x_label = "epoch", .y_label = label}};
  std::vector<Series> lines;
  for (size_t g = 0; g < groups.size(); ++g) {
    GroupCurve curve = step_curve(groups[g], figure, Thinning::kMeans);
    if (!has_values(curve)) continue;
    curve.low.clear();
    curve.high.clear();
    Series line = series_of(groups[g], curve, g);
    Series raw = line;
    line.y = smoothed(line.y);
    raw.style = SeriesStyle::kFaint;
    raw.of = std::exchange(raw.name, "");
    out.chart.series.push_back(std::move(raw));
    lines.push_back(std::move(line));
  }
  out.chart.series.insert(out.chart.series.end(), lines.begin(), lines.end());
  return out;
}

NamedChart by_time(const std::vector<RunGroup>& groups) {
  double longest = 0;
  for (const RunGroup& group : groups)
    for (const RunSummary& run : group.runs) longest = std::max(longest, run.last().train_seconds);
  const auto [unit, word] = longest > 3 * 3600 ? std::pair{3600.0, "hours"}
                            : longest > 180    ? std::pair{60.0, "minutes"}
                                               : std::pair{1.0, "seconds"};
  NamedChart out{"test-accuracy-time",
                 "Test accuracy over the time spent in training steps (evaluation left out).",
                 {.title = "Test accuracy by time",
                  .x_label = fmt::format("training time ({})", word),
                  .y_label = "test accuracy (%)"}};
  out.chart.x_low = 0;
  for (size_t g = 0; g < groups.size(); ++g) {
    GroupCurve curve = time_curve(groups[g], &EpochRecord::test_accuracy);
    if (has_values(curve)) out.chart.series.push_back(series_of(groups[g], std::move(curve), g, unit));
  }
  return out;
}

NamedChart agreements(const std::vector<RunGroup>& groups) {
  NamedChart out =
      by_epoch(groups, "sign-agreement", sign_agreement, "Sign agreement of two batches", "equal gradient signs (%)");
  out.caption =
      "Share of coordinates whose gradients of two independent batches have one sign, mean over an epoch; "
      "50 % is chance.";
  return out;
}

NamedChart noise_scales(const std::vector<RunGroup>& groups) {
  NamedChart out = by_curve(groups, "noise-scale", noise_scale_curve, "Simple noise scale", "images");
  out.caption =
      "The batch size at which the gradient's noise is as large as its signal, of an epoch's probes in all runs "
      "together; a gap is an epoch whose noise hid the signal.";
  out.chart.log_y = true;
  return out;
}

// A figure of one epoch is a number of the table and no curve.
bool has_line(const RunGroup& group) { return epoch_curve(group, &EpochRecord::test_accuracy).x.size() > 1; }

void add_epoch_charts(const std::vector<RunGroup>& groups, std::vector<NamedChart>& charts) {
  charts.push_back(
      by_epoch(groups, "test-accuracy", &EpochRecord::test_accuracy, "Test accuracy by epoch", "test accuracy (%)"));
  charts.push_back(by_time(groups));
  charts.push_back(by_epoch(groups, "validation-accuracy", &EpochRecord::validation_accuracy,
                            "Validation accuracy by epoch", "validation accuracy (%)"));
  charts.push_back(by_epoch(groups, "train-accuracy", &EpochRecord::train_accuracy, "Training accuracy by epoch",
                            "training accuracy (%)"));
  charts.push_back(
      by_epoch(groups, "train-loss", &EpochRecord::train_loss, "Training loss by epoch", "training loss (nats)"));
  charts.push_back(by_epoch(groups, "test-loss", &EpochRecord::test_loss, "Test loss by epoch", "test loss (nats)"));
}

}  // namespace

const std::vector<std::string>& chart_files() {
  static const std::vector<std::string> files = {"train-loss-step",
                                                 "train-accuracy-step",
                                                 "train-loss",
                                                 "train-accuracy",
                                                 "validation-accuracy",
                                                 "test-loss",
                                                 "test-accuracy",
                                                 "test-accuracy-time",
                                                 "learning-rate",
                                                 "dither",
                                                 "gamma",
                                                 "lambda",
                                                 "sign-agreement",
                                                 "noise-scale"};
  return files;
}

std::vector<RunGroup> drawn_groups(const std::vector<RunGroup>& groups) {
  if (groups.size() <= kMostCurves) return groups;
  std::vector<size_t> order(groups.size());
  std::iota(order.begin(), order.end(), size_t{0});
  const auto accuracy = [&](size_t i) {
    const double mean = last_values(groups[i], &EpochRecord::test_accuracy).mean;
    return std::isfinite(mean) ? mean : -1;
  };
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return accuracy(a) > accuracy(b); });
  order.resize(kMostCurves);
  std::sort(order.begin(), order.end());
  std::vector<RunGroup> drawn;
  for (const size_t i : order) drawn.push_back(groups[i]);
  return drawn;
}

std::vector<NamedChart> run_charts(const std::vector<RunGroup>& groups) {
  std::vector<NamedChart> charts;
  if (const bool lines = std::any_of(groups.begin(), groups.end(), has_line); lines) add_epoch_charts(groups, charts);
  charts.push_back(
      by_step(groups, "train-loss-step", &StepCurve::loss, "Training loss by step", "training loss (nats)"));
  charts.push_back(by_step(groups, "train-accuracy-step", &StepCurve::accuracy, "Training accuracy by step",
                           "training accuracy (%)"));
  add_rate_charts(groups, charts);
  charts.push_back(agreements(groups));
  charts.push_back(noise_scales(groups));
  std::erase_if(charts, [](const NamedChart& c) { return !has_points(c.chart); });
  for (NamedChart& c : charts) {
    if (!c.caption.ends_with('.')) c.caption += ".";
    if (any_band(c.chart)) {
      const bool lines =
          std::any_of(c.chart.series.begin(), c.chart.series.end(), [](const Series& s) { return s.x.size() > 1; });
      c.caption += fmt::format(" {}: mean ± one standard deviation over seeds.", lines ? "Bands" : "Bars");
    }
  }
  return charts;
}

}  // namespace signstep
