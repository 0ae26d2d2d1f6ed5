// SPDX-License-Identifier: Apache-2.0
#include "signstep/experiment/comparison.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "signstep/base/error.h"
#include "signstep/base/number.h"
#include "signstep/experiment/same_data.h"
#include "signstep/runs/run_files.h"
#include "signstep/runs/run_summary.h"

namespace signstep {
namespace {

RunResult look_at(const ExperimentPlan& plan, const PlannedRun& run) {
  return {.seed = run.seed,
          .folder = run.folder.substr(plan.output.size() + 1),
          .data_set = data_set_of(run),
          .state = run_state(run)};
}

void read_reported(const ExperimentPlan& plan, size_t r, ComparisonRow& row) {
  std::vector<double> accuracies, seconds, sent, float32;
  for (const PlannedRun& run : plan.reported(r, *row.chosen)) {
    row.runs.push_back(look_at(plan, run));
    const RunState& state = row.runs.back().state;
    row.diverged += state.status == RunStatus::kDiverged;
    if (state.status == RunStatus::kFinished) {
      accuracies.push_back(state.test_accuracy);
      seconds.push_back(state.train_seconds);
      if (state.float32_bytes == 0) continue;
      sent.push_back(static_cast<double>(state.sent_bytes));
      float32.push_back(static_cast<double>(state.float32_bytes));
    }
  }
  row.accuracy = mean_sd(accuracies);
  row.seconds = mean_sd(seconds);
  row.sent_bytes = mean_sd(sent);
  row.float32_bytes = mean_sd(float32);
}

// By place in the list of seeds; NaN for a run that did not finish.
std::vector<double> accuracies_by_seed(const ComparisonRow& row, size_t seeds) {
  std::vector<double> values(seeds, std::nan(""));
  for (size_t i = 0; i < row.runs.size(); ++i)
    if (row.runs[i].state.status == RunStatus::kFinished) values[i] = row.runs[i].state.test_accuracy;
  return values;
}

void pair_with_baselines(const ExperimentPlan& plan, std::vector<ComparisonRow>& rows) {
  const size_t seeds = plan.experiment.seeds.size();
  std::vector<double> p(rows.size(), std::nan(""));
  for (size_t r = 0; r < rows.size(); ++r) {
    const size_t b = plan.baseline_of(r);
    if (b == rows.size() || b == r) continue;
    rows[r].baseline = b;
    PairedDifference d = paired_difference(accuracies_by_seed(rows[r], seeds), accuracies_by_seed(rows[b], seeds));
    if (d.n < kFewestSeeds) d.low = d.high = d.p = std::nan("");  // nothing is said of so few
    // The family is every comparison that the file asks for: what is missing yet, or diverged, counts as 1.
    if (seeds >= kFewestSeeds) p[r] = std::isnan(d.p) ? 1 : d.p;
    rows[r].versus_baseline = d;
  }
  const std::vector<double> corrected = holm(p);
  for (size_t r = 0; r < rows.size(); ++r)
    if (auto& d = rows[r].versus_baseline) d->holm_p = std::isnan(d->p) ? d->p : corrected[r];
}

// From when to when a session of a run worked on which processor; UTC times compare as text.
struct WorkedOn {
  std::string from, until, machine, folder;
};

// A session that was broken off counts to the next one's start: when it ended is not known.
void add_sessions(const ExperimentPlan& plan, const RunResult& run, std::vector<WorkedOn>& work) {
  if (!run.state.done() || run.state.epochs == 0) return;
  const RunRecord r = read_run_record(plan.output + "/" + run.folder);
  const std::vector<SessionRecord> sessions = sessions_of(r);
  for (size_t i = 0; i < sessions.size(); ++i) {
    const std::optional<std::string> until = i + 1 < sessions.size() ? sessions[i + 1].started : r.ended;
    if (until) work.push_back({sessions[i].started, *until, sessions[i].machine.cpu, run.folder});
  }
}

// Beside tuning runs too, which are in no row.
void mark_shared(Comparison& c) {
  std::vector<WorkedOn> work;
  for (const ComparisonRow& row : c.rows) {
    for (const TrialResult& trial : row.trials)
      for (const RunResult& run : trial.runs) add_sessions(c.plan, run, work);
    for (const RunResult& run : row.runs) add_sessions(c.plan, run, work);
  }
  std::set<std::string> shared;
  for (const WorkedOn& a : work)
    for (const WorkedOn& b : work)
      if (a.folder != b.folder && a.machine == b.machine && a.from < b.until && b.from < a.until)
        shared.insert(a.folder);
  for (ComparisonRow& row : c.rows) {
    for (RunResult& run : row.runs) {
      run.shared_machine = shared.contains(run.folder);
      row.shared_machine = row.shared_machine || run.shared_machine;
    }
  }
}

void read_facts(Comparison& c) {
  std::set<std::string> machines, engines, programs, data;
  std::map<std::string, std::set<std::string>> left_open;  // by option
  const auto look = [&](const std::vector<RunResult>& runs) {
    for (const RunResult& run : runs) {
      if (!run.state.done() || run.state.epochs == 0) continue;
      const RunRecord r = read_run_record(c.plan.output + "/" + run.folder);
      for (const SessionRecord& session : sessions_of(r)) {
        machines.insert(shown(session.machine));
        engines.insert(shown(session.engine));
        programs.insert(shown(session.program));
      }
      data.insert(fmt::format("{}{}, sha256 {}", shown(r.data.dataset), r.data.official ? " (official)" : "",
                              shown(r.data.sha256)));
      for (const auto& [option, chosen] : run.state.left_open) left_open[option].insert(chosen);
    }
  };
  for (const ComparisonRow& row : c.rows) {
    for (const TrialResult& trial : row.trials) look(trial.runs);
    look(row.runs);
  }
  mark_shared(c);
  for (const auto& [option, chosen] : left_open)
    if (chosen.size() > 1) c.not_alike.push_back(fmt::format("{} {}", option, fmt::join(chosen, ", ")));
  c.machines.assign(machines.begin(), machines.end());
  c.engines.assign(engines.begin(), engines.end());
  c.programs.assign(programs.begin(), programs.end());
  c.data.assign(data.begin(), data.end());
}

// Collects the damaged runs, and refuses runs on different images.
void look_over(Comparison& c) {
  SameData data;
  const auto look = [&](const std::vector<RunResult>& runs) {
    for (const RunResult& run : runs) {
      if (run.state.status == RunStatus::kDamaged) c.damaged.push_back(run);
      if (run.state.done()) data.saw(run.data_set, run.state.data, "the run " + run.folder);
    }
  };
  for (const ComparisonRow& row : c.rows) {
    for (const TrialResult& trial : row.trials) look(trial.runs);
    look(row.runs);
  }
}

}  // namespace

std::vector<TrialResult> trial_results(const ExperimentPlan& plan, size_t row) {
  if (!plan.tunes()) return {};
  std::vector<TrialResult> trials;
  for (const Settings& settings : plan.rows[row].trials)
    trials.push_back({.trial = trials.size(), .settings = settings, .validation = {}});
  std::vector<std::vector<double>> accuracies(trials.size());
  for (const PlannedRun& run : plan.tuning) {
    if (run.row != row) continue;
    trials[run.trial].runs.push_back(look_at(plan, run));
    const RunState& state = trials[run.trial].runs.back().state;
    if (!state.done()) continue;
    ++trials[run.trial].done;
    trials[run.trial].diverged += state.status == RunStatus::kDiverged;
    accuracies[run.trial].push_back(state.status == RunStatus::kDiverged ? 0 : state.validation_accuracy);
  }
  for (size_t t = 0; t < trials.size(); ++t) trials[t].validation = mean_sd(accuracies[t]);
  return trials;
}

SearchState search_row(const ExperimentPlan& plan, size_t row, const std::vector<TrialResult>& results) {
  if (results.empty()) return {.asked = {}, .chosen = 0};
  const Experiment& e = plan.experiment;
  return search_trials(e.methods[plan.rows[row].method].tune, e.tuning_search, [&](size_t t) -> std::optional<double> {
    const TrialResult& trial = results[t];
    const bool known = trial.done == e.tuning_seeds.size() && std::isfinite(trial.validation.mean);
    return known ? std::optional(trial.validation.mean) : std::nullopt;
  });
}

std::vector<std::string> grid_edges(const std::vector<GridAxis>& axes, const Settings& chosen) {
  std::vector<std::string> edges;
  for (const GridAxis& axis : axes) {
    if (axis.values.size() < 2) continue;
    const auto found =
        std::find_if(chosen.begin(), chosen.end(), [&](const auto& s) { return s.first == axis.option; });
    std::vector<double> values;
    for (const std::string& text : axis.values)
      if (const auto v = parse_number(text)) values.push_back(*v);
    if (found == chosen.end() || values.size() != axis.values.size()) continue;
    const double value = *parse_number(found->second);
    const auto [low, high] = std::minmax_element(values.begin(), values.end());
    if (value == *high) edges.push_back(fmt::format("{} {} is the highest of its grid", axis.option, found->second));
    if (value == *low && value != 0)
      edges.push_back(fmt::format("{} {} is the lowest of its grid", axis.option, found->second));
  }
  return edges;
}

Comparison compare_runs(const ExperimentPlan& plan) {
  Comparison c{.plan = plan,
               .rows = {},
               .runs_done = 0,
               .runs_planned = 0,
               .damaged = {},
               .machines = {},
               .engines = {},
               .programs = {},
               .data = {},
               .not_alike = {}};
  const Experiment& e = plan.experiment;
  for (size_t r = 0; r < plan.rows.size(); ++r) {
    const ExperimentMethod& method = e.methods[plan.rows[r].method];
    ComparisonRow row;
    row.name = plan.rows[r].name;
    row.paper = method.paper;
    if (const size_t tuner = plan.tuned_by(r); tuner != r) {
      row.chosen = c.rows[tuner].chosen;
      row.none_survived = c.rows[tuner].none_survived;
    } else {
      const std::vector<TrialResult> results = trial_results(plan, r);
      const SearchState search = search_row(plan, r, results);
      for (const size_t t : search.asked) row.trials.push_back(results[t]);
      row.chosen = search.chosen;
      row.none_survived = plan.tunes() && search.chosen && results[*search.chosen].none_survived();
    }
    if (row.chosen) {
      row.chosen_settings = plan.rows[r].trials[*row.chosen];
      if (plan.tunes()) row.edges = grid_edges(method.tune, row.chosen_settings);
      read_reported(plan, r, row);
    }
    for (const TrialResult& t : row.trials) c.runs_done += t.done;
    for (const RunResult& run : row.runs) c.runs_done += run.state.done();
    c.rows.push_back(std::move(row));
  }
  c.runs_planned = plan.tuning_runs() + plan.rows.size() * e.seeds.size();
  look_over(c);
  pair_with_baselines(plan, c.rows);
  read_facts(c);
  return c;
}

}  // namespace signstep
