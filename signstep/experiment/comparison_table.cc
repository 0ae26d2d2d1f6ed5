// SPDX-License-Identifier: Apache-2.0
#include "signstep/experiment/comparison_table.h"

#include <algorithm>
#include <cmath>

#include "signstep/base/error.h"
#include "signstep/experiment/comparison_charts.h"
#include "signstep/options/train_options.h"

namespace signstep {
namespace {

std::string minutes_text(double seconds) {
  return std::isfinite(seconds) ? fmt::format("{:.1f} min", seconds / 60) : "-";
}

std::string sent_text(const ComparisonRow& row) {
  if (row.sent_bytes.n == 0) return "-";
  const double megabytes = row.sent_bytes.mean / 1e6;
  return fmt::format("{} MB ({:.1f} %)",
                     megabytes < 10 ? fmt::format("{:.3g}", megabytes) : fmt::format("{:.0f}", megabytes),
                     100 * row.sent_bytes.mean / row.float32_bytes.mean);
}

std::string accuracy_text(const ComparisonRow& row) {
  if (row.accuracy.n == 0) return row.diverged > 0 ? "diverged" : "-";
  return row.accuracy.n > 1 ? fmt::format("{:.2f} ± {:.2f} %", row.accuracy.mean, row.accuracy.sd)
                            : fmt::format("{:.2f} %", row.accuracy.mean);
}

std::string p_text(double p) {
  if (std::isnan(p)) return "-";
  return p < 0.001 ? "< 0.001" : fmt::format("{:.3f}", p);
}

std::string difference_text(const ComparisonRow& row) {
  if (!row.versus_baseline || row.versus_baseline->n == 0) return "-";
  const PairedDifference& d = *row.versus_baseline;
  if (d.n == 1) return fmt::format("{:+.2f} (one seed)", d.mean);
  const bool fewer = d.n < row.accuracy.n;
  if (d.n < kFewestSeeds)
    return fmt::format("{:+.2f} ({})", d.mean, fewer ? fmt::format("{} pairs, too few", d.n) : "too few seeds");
  return fmt::format("{:+.2f} [{:+.2f}, {:+.2f}]{}", d.mean, d.low, d.high,
                     fewer ? fmt::format(" ({} pairs)", d.n) : "");
}

std::string runs_text(const ComparisonRow& row, size_t seeds) {
  std::string text = fmt::format("{}", row.accuracy.n);
  if (row.accuracy.n < seeds) text += fmt::format(" of {}", seeds);
  if (row.diverged > 0) text += fmt::format(" ({} diverged)", row.diverged);
  const auto damaged = std::count_if(row.runs.begin(), row.runs.end(),
                                     [](const RunResult& r) { return r.state.status == RunStatus::kDamaged; });
  if (damaged > 0) text += fmt::format(" ({} damaged)", damaged);
  return text;
}

// Why a file with a baseline shows no difference; "" where it does or has none to show yet.
std::string without_differences(const Comparison& c) {
  const std::string& baseline = c.plan.experiment.baseline;
  if (c.rows.size() < 2 || !c.complete()) return "";
  if (std::any_of(c.rows.begin(), c.rows.end(),
                  [](const ComparisonRow& r) { return r.versus_baseline && r.versus_baseline->n > 0; }))
    return "";
  const bool several =
      std::none_of(c.rows.begin(), c.rows.end(), [](const ComparisonRow& r) { return r.versus_baseline.has_value(); });
  return fmt::format("No differences: {} {}.", baseline,
                     several ? "has a grid of its own, so it is no one row" : "has no finished run beside another's");
}

}  // namespace

TextTable comparison_table(const Comparison& c) {
  const Experiment& e = c.plan.experiment;
  struct Column {
    std::string header;
    std::string (*cell)(const ComparisonRow&, const Comparison&);
  };
  const Column columns[] = {
      {"method", [](const ComparisonRow& r, const Comparison&) { return r.name; }},
      {"chosen",
       [](const ComparisonRow& r, const Comparison& all) {
         if (!all.plan.tunes()) return std::string("-");
         if (!r.chosen) return std::string("not yet");
         return settings_text(r.chosen_settings) + (r.none_survived ? " (diverged)" : r.edges.empty() ? "" : " (edge)");
       }},
      {"runs",
       [](const ComparisonRow& r, const Comparison& all) { return runs_text(r, all.plan.experiment.seeds.size()); }},
      {"test accuracy", [](const ComparisonRow& r, const Comparison&) { return accuracy_text(r); }},
      {"difference to " + e.baseline, [](const ComparisonRow& r, const Comparison&) { return difference_text(r); }},
      {"p (Holm)",
       [](const ComparisonRow& r, const Comparison&) {
         return r.versus_baseline && r.versus_baseline->n >= kFewestSeeds ? p_text(r.versus_baseline->holm_p)
                                                                          : std::string("-");
       }},
      {"paper", [](const ComparisonRow& r,
                   const Comparison&) { return r.paper ? fmt::format("{:.2f} %", *r.paper) : std::string("-"); }},
      {"a worker sent", [](const ComparisonRow& r, const Comparison&) { return sent_text(r); }},
      {"time",
       [](const ComparisonRow& r, const Comparison&) {
         return minutes_text(r.seconds.mean) + (r.shared_machine && r.seconds.n > 0 ? " *" : "");
       }},
  };
  TextTable table;
  table.rows.resize(c.rows.size());
  for (const Column& column : columns) {
    std::vector<std::string> cells;
    for (const ComparisonRow& row : c.rows) cells.push_back(column.cell(row, c));
    const bool optional = column.header == "chosen" || column.header == "paper" || column.header == "p (Holm)" ||
                          column.header == "a worker sent" || column.header.starts_with("difference");
    if (optional && std::all_of(cells.begin(), cells.end(), [](const std::string& cell) { return cell == "-"; }))
      continue;
    table.header.push_back(column.header);
    for (size_t r = 0; r < cells.size(); ++r) table.rows[r].push_back(std::move(cells[r]));
  }
  return table;
}

std::vector<std::string> comparison_notes(const Comparison& c) {
  const Experiment& e = c.plan.experiment;
  std::vector<std::string> notes;
  if (!c.complete()) notes.push_back(fmt::format("Incomplete: {} of {} runs are done.", c.runs_done, c.runs_planned));
  for (const RunResult& run : c.damaged)
    notes.push_back(fmt::format("Left out, damaged: {}: {}", run.folder, run.state.problem));
  if (!c.not_alike.empty())
    notes.push_back(fmt::format("Not computed alike: {}. Differences may be the engine's: name one in [train].",
                                fmt::join(c.not_alike, "; ")));
  bool limited = false;
  for (size_t r = 0; r < c.plan.rows.size(); ++r)
    limited = limited || c.plan.reported(r, 0).front().options.limit_train > 0;
  notes.push_back(
      fmt::format("Test accuracy after the last epoch, mean ± standard deviation over seeds {}, trained on {}training "
                  "and validation images.",
                  fmt::join(e.seeds, ", "), limited ? "limit_train of the " : ""));
  if (c.plan.tunes()) {
    notes.push_back(fmt::format(
        "Chosen by validation accuracy among {} trials for each {}{}, seeds {}; these runs are not in the table.",
        c.plan.trials_needed(),
        e.tune_once ? fmt::format("method at {} and used at every other", settings_text(c.plan.rows.front().common))
                    : "row",
        e.tuning_search == TuningSearch::kCoordinate ? ", one option after the other" : "",
        fmt::join(e.tuning_seeds, ", ")));
  }
  const bool differences = std::any_of(c.rows.begin(), c.rows.end(), [](const ComparisonRow& r) {
    return r.versus_baseline && r.versus_baseline->n >= kFewestSeeds;
  });
  if (differences)
    notes.emplace_back(
        "Differences in percentage points, paired by seed, with 95 % confidence interval (t, of each row alone); p "
        "two-sided, corrected by Holm over all rows of the file, those without a p yet counted as 1.");
  if (const std::string why = without_differences(c); !why.empty()) notes.push_back(why);
  if (std::any_of(c.rows.begin(), c.rows.end(), [](const ComparisonRow& r) { return r.diverged > 0; }))
    notes.emplace_back("Runs that diverged are in no mean and in no difference.");
  if (std::any_of(c.rows.begin(), c.rows.end(), [](const ComparisonRow& r) { return r.sent_bytes.n > 0; }))
    notes.emplace_back(
        "Sent: by one of several workers in a run's steps; in brackets, beside float32 sums of every gradient.");
  if (std::any_of(c.rows.begin(), c.rows.end(), [](const ComparisonRow& r) { return r.shared_machine; }))
    notes.emplace_back(
        "* Taken while other runs of this comparison were at work on such a processor, which may have been this one.");
  for (const ComparisonRow& row : c.rows) {
    if (row.trials.empty()) continue;  // another row's tuning, which says it
    if (row.none_survived) {
      notes.push_back(
          fmt::format("{}: every tuning run diverged; the first values stand for want of better.", row.name));
      continue;
    }
    for (const std::string& edge : row.edges)
      notes.push_back(fmt::format("{}: {}; a better value may lie beyond.", row.name, edge));
  }
  if (!e.paper_source.empty()) notes.push_back(fmt::format("Paper: {}.", e.paper_source));
  for (const std::string& difference : e.paper_differences)
    notes.push_back(fmt::format("Differs from the paper: {}.", difference));
  const auto facts = [&](const char* name, const std::vector<std::string>& values) {
    if (!values.empty()) notes.push_back(fmt::format("{}: {}.", name, fmt::join(values, "; ")));
  };
  facts("Data", c.data);
  facts("Machine", c.machines);
  facts("Engine", c.engines);
  facts("Program", c.programs);
  return notes;
}

std::string terminal_text(const Comparison& c) {
  std::string out = fmt::format("{}\n\n{}\n", c.plan.experiment.title, aligned(comparison_table(c)));
  for (const std::string& note : comparison_notes(c)) out += note + "\n";
  return out;
}

HtmlTable trials_table(const Comparison& c) {
  HtmlTable table{.title = "Tuning trials",
                  .header = {"method", "trial", "validation accuracy", "runs", ""},
                  .rows = {},
                  .notes = {},
                  .folded = true};
  for (const ComparisonRow& row : c.rows) {
    for (const TrialResult& trial : row.trials) {
      const std::string accuracy = trial.validation.n == 0 ? "-" : fmt::format("{:.2f} %", trial.validation.mean);
      table.rows.push_back({row.name, settings_text(trial.settings), accuracy, std::to_string(trial.done),
                            fmt::format("{}{}", row.chosen == trial.trial ? "chosen" : "",
                                        trial.diverged > 0 ? fmt::format(" {} diverged", trial.diverged) : "")});
    }
  }
  return table;
}

std::vector<RunGroup> report_groups(const Comparison& c) {
  TrainOptions options;
  const OptionList described = option_list(options);
  std::vector<RunGroup> groups;
  for (const ComparisonRow& row : c.rows) {
    std::vector<RunSummary> runs;
    for (const RunResult& run : row.runs)
      if (run.state.epochs > 0) runs.push_back(read_run(c.plan.output + "/" + run.folder));
    if (!runs.empty()) groups.push_back(make_group(row.name, std::move(runs), described));
  }
  return groups;
}

}  // namespace signstep
