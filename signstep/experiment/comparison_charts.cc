// SPDX-License-Identifier: Apache-2.0
#include "signstep/experiment/comparison_charts.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "signstep/base/error.h"
#include "signstep/base/number.h"

namespace signstep {
namespace {

constexpr size_t kGrey = 7, kBlue = 0;

// Half the 95 % interval of a mean; NaN for too few values.
double half_interval(const MeanSd& m) {
  if (m.n < kFewestSeeds) return std::nan("");
  const auto n = static_cast<double>(m.n);
  return student_quantile(0.975, n - 1) * m.sd / std::sqrt(n);
}

// A named place of its own on the axis, and there a mean with its interval. Returns the place.
double add_bar(Chart& chart, Series& bars, const std::string& name, double mean, double low, double high) {
  const auto place = static_cast<double>(chart.x_names.size());
  chart.x_names.push_back(name);
  bars.x.push_back(place);
  bars.y.push_back(mean);
  bars.low.push_back(low);
  bars.high.push_back(high);
  return place;
}

// With how many of the planned seeds it is of, where some diverged or are missing.
std::string name_of(const ComparisonRow& row, size_t seeds) {
  return seeds == row.runs.size() ? row.name : fmt::format("{} ({} of {} seeds)", row.name, seeds, row.runs.size());
}

NamedChart seeds_chart(const Comparison& c) {
  NamedChart out{"seeds", "Test accuracy after the last epoch: every seed, their mean, and its 95 % interval.", {}};
  out.chart = {.title = "Test accuracy by method", .x_label = "", .y_label = "test accuracy (%)"};
  Series seeds{.name = "a seed", .x = {}, .y = {}, .style = SeriesStyle::kPoints, .color = kGrey};
  Series means{.name = "mean, 95 % interval", .x = {}, .y = {}, .style = SeriesStyle::kBars, .color = kBlue};
  bool few = false;
  for (const ComparisonRow& row : c.rows) {
    if (row.accuracy.n == 0) continue;
    const double half = half_interval(row.accuracy), mean = row.accuracy.mean;
    const double place = add_bar(out.chart, means, name_of(row, row.accuracy.n), mean, mean - half, mean + half);
    double shift = 0.12;  // beside the mean, none on another
    for (const RunResult& run : row.runs) {
      if (run.state.status != RunStatus::kFinished) continue;
      seeds.x.push_back(place + shift);
      seeds.y.push_back(run.state.test_accuracy);
      shift += 0.3 / static_cast<double>(row.runs.size());
    }
    few = few || std::isnan(half);
  }
  if (few) out.caption += fmt::format(" Without a bar: fewer than {} seeds.", kFewestSeeds);
  out.chart.series = {std::move(seeds), std::move(means)};
  return out;
}

NamedChart differences_chart(const Comparison& c) {
  const std::string& baseline = c.plan.experiment.baseline;
  NamedChart out{"differences", "", {}};
  out.caption = fmt::format(
      "Difference to {} in test accuracy, paired by seed, with 95 % interval before any correction for several "
      "comparisons: a bar that crosses 0 leaves open whether there is one.",
      baseline);
  out.chart = {.title = "Difference to " + baseline,
               .x_label = "",
               .y_label = "difference (percentage points)",
               .levels = {{.y = 0, .name = baseline}}};
  Series means{
      .name = "mean of the pairs, 95 % interval", .x = {}, .y = {}, .style = SeriesStyle::kBars, .color = kBlue};
  for (const ComparisonRow& row : c.rows) {
    const auto& d = row.versus_baseline;
    if (d && d->n >= kFewestSeeds) add_bar(out.chart, means, name_of(row, d->n), d->mean, d->low, d->high);
  }
  out.chart.series = {std::move(means)};
  return out;
}

std::optional<double> setting(const Settings& settings, const std::string& option) {
  for (const auto& [name, value] : settings)
    if (name == option) return parse_number(value);
  return std::nullopt;
}

// The best mean over the trials that share a value of the option, by value. One value alone makes no curve.
std::map<double, MeanSd> best_by_value(const ComparisonRow& row, const std::string& option) {
  std::map<double, MeanSd> best;
  for (const TrialResult& trial : row.trials) {
    const auto value = setting(trial.settings, option);
    if (!value || !std::isfinite(trial.validation.mean)) continue;
    const auto [at, added] = best.try_emplace(*value, trial.validation);
    if (!added && trial.validation.mean > at->second.mean) at->second = trial.validation;
  }
  if (best.size() < 2) best.clear();
  return best;
}

NamedChart sensitivity_chart(const Comparison& c, const std::string& option) {
  std::string words = option;
  std::replace(words.begin(), words.end(), '_', ' ');
  NamedChart out{"sensitivity-" + option, "", {}};
  out.caption = fmt::format(
      "Mean validation accuracy over the tuning seeds by {}, the best of the other tuned options at each value; a run "
      "that diverged counts as 0 %. Large ring: the chosen value. Square: it is the first or last of its list, and a "
      "better one may lie beyond.{}",
      words,
      c.plan.experiment.tuning_search == TuningSearch::kCoordinate
          ? " The search went along one option after the other, so the value that it kept was tried with more of the "
            "other options than its neighbours, and stands the higher for it."
          : "");
  out.chart = {.title = "Validation accuracy by " + words, .x_label = words, .y_label = "validation accuracy (%)"};
  std::vector<Series> marks;  // over the curves, one each: several methods may choose one value
  bool positive = true;
  for (size_t r = 0; r < c.rows.size(); ++r) {
    const ComparisonRow& row = c.rows[r];
    Series line{.name = row.name, .x = {}, .y = {}, .style = SeriesStyle::kLinePoints, .color = r};
    for (const auto& [value, validation] : best_by_value(row, option)) {
      line.x.push_back(value);
      line.y.push_back(validation.mean);
      positive = positive && value > 0;
    }
    if (line.x.empty()) continue;
    if (const auto value = setting(row.chosen_settings, option); row.chosen && value) {
      const auto chosen_trial = std::find_if(row.trials.begin(), row.trials.end(),
                                             [&](const TrialResult& t) { return t.trial == *row.chosen; });
      const bool at_edge = std::any_of(row.edges.begin(), row.edges.end(),
                                       [&](const std::string& e) { return e.starts_with(option + " "); });
      marks.push_back({.of = row.name,
                       .x = {*value},
                       .y = {chosen_trial->validation.mean},
                       .style = at_edge ? SeriesStyle::kSquares : SeriesStyle::kRings,
                       .color = r});
    }
    out.chart.series.push_back(std::move(line));
  }
  for (Series& mark : marks) out.chart.series.push_back(std::move(mark));
  out.chart.log_x = positive;
  return out;
}

}  // namespace

std::vector<NamedChart> comparison_charts(const Comparison& c) {
  std::vector<NamedChart> charts{seeds_chart(c), differences_chart(c)};
  std::set<std::string> tuned;
  for (const ExperimentMethod& method : c.plan.experiment.methods)
    for (const GridAxis& axis : method.tune) tuned.insert(axis.option);
  for (const std::string& option : tuned) charts.push_back(sensitivity_chart(c, option));
  std::erase_if(charts, [](const NamedChart& chart) { return !has_points(chart.chart); });
  return charts;
}

}  // namespace signstep
