// SPDX-License-Identifier: Apache-2.0
#include "signstep/report/run_group.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <span>

#include "signstep/base/error.h"
#include "signstep/base/number.h"

namespace signstep {
namespace {

constexpr size_t kMostPoints = 600;

// What the runs of a group have in common.
std::map<std::string, std::string> identity(const RunSummary& run, const OptionList& options) {
  std::map<std::string, std::string> kept;
  for (const auto& [name, value] : run.config) {
    const Option* option = options.find(name);
    if (option == nullptr || !option->repeats()) kept.emplace(name, value);
  }
  return kept;
}

std::vector<OptionRow> option_rows(const std::vector<RunGroup>& groups) {
  std::set<std::string> options;
  for (const RunGroup& group : groups)
    for (const auto& [option, value] : group.settings) options.insert(option);
  std::vector<OptionRow> rows;
  for (const std::string& option : options) {
    OptionRow row{.option = option, .values = {}};
    for (const RunGroup& group : groups) {
      const auto found = group.settings.find(option);
      row.values.push_back(found == group.settings.end() ? "-" : found->second);
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

bool all_equal(const OptionRow& row) {
  return std::all_of(row.values.begin(), row.values.end(),
                     [&](const std::string& v) { return v == row.values.front(); });
}

// The few rows that tell the groups apart, most telling first: in each round the one that parts most groups that were
// alike until then, of equal ones the shortest to read.
std::vector<const OptionRow*> telling_rows(const std::vector<OptionRow>& rows, size_t groups) {
  std::vector<std::string> so_far(groups);
  std::vector<const OptionRow*> chosen;
  const auto parts = [&](const OptionRow& row) {
    std::set<std::string> seen;
    for (size_t g = 0; g < groups; ++g) seen.insert(so_far[g] + "\n" + row.values[g]);
    return seen.size();
  };
  const auto length = [](const OptionRow& row) {
    size_t n = row.option.size();
    for (const std::string& v : row.values) n = std::max(n, row.option.size() + v.size());
    return n;
  };
  for (size_t apart = 1; apart < groups;) {
    const OptionRow* best = nullptr;
    for (const OptionRow& row : rows) {
      if (best == nullptr || parts(row) > parts(*best) || (parts(row) == parts(*best) && length(row) < length(*best)))
        best = &row;
    }
    if (best == nullptr || parts(*best) == apart) break;
    apart = parts(*best);
    for (size_t g = 0; g < groups; ++g) so_far[g] += "\n" + best->values[g];
    chosen.push_back(best);
  }
  return chosen;
}

std::string spoken(std::string option) {
  std::replace(option.begin(), option.end(), '_', ' ');
  return option;
}

// What tells groups of one name apart goes behind the name.
void name_apart(std::vector<RunGroup>& groups) {
  std::map<std::string, std::vector<size_t>> of_name;
  for (size_t i = 0; i < groups.size(); ++i) of_name[groups[i].name].push_back(i);
  for (const auto& [name, members] : of_name) {
    if (members.size() < 2) continue;
    std::vector<RunGroup> alike;
    for (const size_t i : members) alike.push_back(groups[i]);
    const std::vector<OptionRow> rows = differing_options(alike);
    for (const OptionRow* row : telling_rows(rows, members.size())) {
      for (size_t k = 0; k < members.size(); ++k)
        groups[members[k]].name += fmt::format(", {} {}", spoken(row->option), row->values[k]);
    }
  }
}

void append_point(GroupCurve& curve, double x, const std::vector<double>& values, bool band) {
  const MeanSd m = mean_sd(values);
  curve.x.push_back(x);
  curve.mean.push_back(m.mean);
  if (!band) return;
  curve.low.push_back(m.n > 1 ? m.mean - m.sd : m.mean);
  curve.high.push_back(m.n > 1 ? m.mean + m.sd : m.mean);
}

using Runs = std::vector<const RunSummary*>;

Runs runs_that(const RunGroup& group, const std::function<bool(const RunSummary&)>& which) {
  Runs runs;
  for (const RunSummary& run : group.runs)
    if (which(run)) runs.push_back(&run);
  return runs;
}

bool has_diverged(const RunSummary& run) { return run.record.status == RunRecord::kDiverged; }

// Those that the tables count, so that no curve changes its runs on the way where some are at their end.
Runs drawn_runs(const RunGroup& group) {
  Runs runs = counted(group).runs;
  return runs.empty() ? runs_that(group, [](const RunSummary&) { return true; }) : runs;
}

size_t most_epochs(const Runs& runs) {
  size_t n = 0;
  for (const RunSummary* run : runs) n = std::max(n, run->epochs.size());
  return n;
}

size_t epochs_of_all(const Runs& runs) {
  size_t n = most_epochs(runs);
  for (const RunSummary* run : runs) n = std::min(n, run->epochs.size());
  return n;
}

EpochValue value_of(EpochFigure figure) {
  return [figure](const RunSummary& run, size_t i) { return run.epochs.at(i).*figure; };
}

// NaN where the file does not say.
double number_of_epoch(const EpochRecord& record) {
  return record.epoch > 0 ? static_cast<double>(record.epoch) : std::nan("");
}

std::vector<double> at_epoch(const Runs& runs, size_t i, const EpochValue& value) {
  std::vector<double> values;
  for (const RunSummary* run : runs)
    if (i < run->epochs.size()) values.push_back(value(*run, i));
  return values;
}

GroupCurve curve_over(const Runs& runs, size_t epochs, const EpochValue& x, const EpochValue& y) {
  GroupCurve curve;
  for (size_t i = 0; i < epochs; ++i)
    append_point(curve, mean_sd(at_epoch(runs, i, x)).mean, at_epoch(runs, i, y), runs.size() > 1);
  return curve;
}

double probe_mean(const RunSummary& run, size_t epoch_index, std::vector<double> ProbePairs::*figure) {
  return mean_sd(run.epochs.at(epoch_index).course.probe.*figure).mean;
}

}  // namespace

RunGroup make_group(std::string name, std::vector<RunSummary> runs, const OptionList& options) {
  std::map<std::string, std::vector<std::string>> seen;
  for (const RunSummary& run : runs)
    for (const auto& [option, value] : identity(run, options)) seen[option];
  RunGroup group{.name = std::move(name), .runs = std::move(runs)};
  for (auto& [option, values] : seen) {
    for (const RunSummary& run : group.runs) {
      const auto found = run.config.find(option);
      const std::string value = found == run.config.end() ? "-" : found->second;
      if (std::find(values.begin(), values.end(), value) == values.end()) values.push_back(value);
    }
    group.settings[option] = fmt::format("{}", fmt::join(values, " | "));
  }
  return group;
}

std::vector<RunGroup> group_runs(std::vector<RunSummary> runs, const OptionList& options) {
  std::vector<std::vector<RunSummary>> alike;
  std::vector<std::map<std::string, std::string>> identities;
  for (RunSummary& run : runs) {
    const auto own = identity(run, options);
    const auto place = static_cast<size_t>(std::find(identities.begin(), identities.end(), own) - identities.begin());
    if (place == identities.size()) {
      identities.push_back(own);
      alike.emplace_back();
    }
    alike[place].push_back(std::move(run));
  }
  std::vector<RunGroup> groups;
  for (std::vector<RunSummary>& members : alike) {
    std::string name = method_name(members.front());
    groups.push_back(make_group(std::move(name), std::move(members), options));
  }
  name_apart(groups);
  return groups;
}

std::vector<OptionRow> differing_options(const std::vector<RunGroup>& groups) {
  std::vector<OptionRow> rows = option_rows(groups);
  std::erase_if(rows, all_equal);
  return rows;
}

std::vector<OptionRow> common_options(const std::vector<RunGroup>& groups) {
  std::vector<OptionRow> rows = option_rows(groups);
  std::erase_if(rows, [](const OptionRow& row) { return !all_equal(row); });
  for (OptionRow& row : rows) row.values.resize(1);
  return rows;
}

GroupCurve epoch_curve(const RunGroup& group, EpochFigure figure) { return epoch_curve(group, value_of(figure)); }

GroupCurve epoch_curve(const RunGroup& group, const EpochValue& value) {
  const Runs runs = drawn_runs(group);
  return curve_over(
      runs, most_epochs(runs), [](const RunSummary& run, size_t i) { return number_of_epoch(run.epochs.at(i)); },
      value);
}

GroupCurve time_curve(const RunGroup& group, EpochFigure figure) {
  const Runs runs = drawn_runs(group);
  return curve_over(runs, epochs_of_all(runs), value_of(&EpochRecord::train_seconds), value_of(figure));
}

GroupCurve step_curve(const RunGroup& group, std::vector<double> StepCurve::*figure, Thinning thinning) {
  std::map<double, std::vector<double>> at_step;  // over the runs
  const Runs runs = drawn_runs(group);
  for (const RunSummary* run : runs) {
    for (const EpochRecord& epoch : run->epochs) {
      const StepCurve& curve = epoch.course.curve;
      const std::vector<double>& values = curve.*figure;
      for (size_t i = 0; i < curve.step.size(); ++i) {
        if (curve.step[i] == 0) continue;  // not said
        at_step[static_cast<double>(curve.step[i]) / run->steps_per_epoch()].push_back(
            i < values.size() ? values[i] : std::nan(""));  // an epoch that had none of it
      }
    }
  }
  GroupCurve all;
  for (const auto& [epoch, values] : at_step) append_point(all, epoch, values, runs.size() > 1);
  const size_t every = all.x.size() / kMostPoints + 1;
  GroupCurve curve;
  for (size_t i = 0; i < all.x.size(); i += every) {
    const size_t n = thinning == Thinning::kMeans ? std::min(every, all.x.size() - i) : 1;
    const auto mean = [&](const std::vector<double>& values) { return mean_sd(std::span(values).subspan(i, n)).mean; };
    curve.x.push_back(all.x[i + n - 1]);
    curve.mean.push_back(mean(all.mean));
    if (all.low.empty()) continue;
    curve.low.push_back(mean(all.low));
    curve.high.push_back(mean(all.high));
  }
  return curve;
}

double sign_agreement(const RunSummary& run, size_t epoch_index) {
  return 100 * probe_mean(run, epoch_index, &ProbePairs::agreement);
}

Counted counted(const RunGroup& group) {
  Counted out{.runs = runs_that(group, [](const RunSummary& r) { return r.record.status == RunRecord::kFinished; })};
  if (out.runs.empty()) out.runs = runs_that(group, [](const RunSummary& r) { return !has_diverged(r); });
  out.epochs = epochs_of_all(out.runs);
  return out;
}

MeanSd last_values(const RunGroup& group, EpochFigure figure) {
  const Counted of = counted(group);
  return mean_sd(of.epochs == 0 ? std::vector<double>() : at_epoch(of.runs, of.epochs - 1, value_of(figure)));
}

std::vector<double> switch_epochs(const RunGroup& group) {
  std::set<double> found;
  for (const RunSummary& run : group.runs)
    for (const EpochRecord& epoch : run.epochs)
      for (const RunEvent& event : epoch.course.events)
        if (event.event == RunEvent::kSwitch && event.step > 0)
          found.insert(static_cast<double>(event.step) / run.steps_per_epoch());
  return {found.begin(), found.end()};
}

}  // namespace signstep
