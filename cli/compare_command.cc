// SPDX-License-Identifier: Apache-2.0
// signstep compare: an experiment file carried out, from tuning to the table.
#include <cstdio>
#include <cstdlib>

#include "cli/become.h"
#include "cli/commands.h"
#include "cli/console.h"
#include "cli/engines.h"
#include "cli/exit_code.h"
#include "cli/flags.h"
#include "cli/overview.h"
#include "cli/stop_signal.h"
#include "signstep/base/cpu.h"
#include "signstep/base/number.h"
#include "signstep/base/stopwatch.h"
#include "signstep/base/text.h"
#include "signstep/experiment/compare.h"
#include "signstep/experiment/comparison_charts.h"
#include "signstep/experiment/comparison_files.h"
#include "signstep/experiment/comparison_table.h"
#include "signstep/experiment/output_folder.h"
#include "signstep/experiment/time_estimate.h"
#include "signstep/io/atomic_file.h"
#include "signstep/io/path.h"
#include "signstep/report/report.h"
#include "signstep/train/speed_probe.h"

namespace signstep::cli {
namespace {

struct CompareCommand {
  std::string file, output, data, shard = "1/1";
  int64_t jobs = 0;
  double stop_after = 0;
  bool collect = false, dry_run = false, quiet = false;
  std::unique_ptr<Flags> flags;

  OptionList list() {
    OptionList l;
    l.group("Options");
    l.text("output", output, "folder of the experiment; empty: runs/NAME");
    l.text("data", data, "folder of the data set; empty: $SIGNSTEP_DATA, ./data, then the system path");
    l.integer("jobs", jobs, Range::closed(0, 4096), "",
              "runs at a time; 0: as many as the threads of one go into the cores");
    l.text("shard", shard, "I/N: do every N-th run from the I-th on, as one of N processes of a job array");
    l.flag("collect", collect, "run nothing: make the table and the report from what is there");
    l.flag("dry_run", dry_run, "run nothing: list the runs and estimate the hours");
    l.duration("stop_after", stop_after, "save and stop after this long, such as 3h50m; 0: never");
    l.flag("quiet", quiet, "print the table only");
    return l;
  }
};

void parse_shard(const std::string& text, CompareOptions& options) {
  const size_t slash = text.find('/');
  const std::string before = text.substr(0, slash), after = slash == std::string::npos ? "" : text.substr(slash + 1);
  const auto shard = parse_integer(before), shards = parse_integer(after);
  if (!shard || !shards || *shard < 1 || *shard > *shards) {
    throw OptionError(fmt::format("--shard is '{}'; wanted I/N with I from 1 to N, such as 3/8", text));
  }
  options.shard = static_cast<size_t>(*shard);
  options.shards = static_cast<size_t>(*shards);
}

// A misspelt engine is found here rather than by every child.
void require_engines(const ExperimentPlan& plan) {
  for (const PlannedRun& run : plan.all_runs()) require_engine(engines(), run.options.engine);
}

// As many runs as have room on the cores, each with its own threads.
size_t default_jobs(const ExperimentPlan& plan) {
  const auto cores = static_cast<int64_t>(cpu_features().threads);
  int64_t most = 1;
  for (const PlannedRun& run : plan.all_runs())
    most = std::max(most,
                    run.options.engine.threads == 0 ? cores : run.options.engine.threads * run.options.workers.workers);
  return static_cast<size_t>(std::max<int64_t>(1, cores / most));
}

std::string hours_text(double seconds) {
  return seconds < 3600 ? fmt::format("{:.1f} min", seconds / 60) : fmt::format("{:.1f} h", seconds / 3600);
}

int dry_run(const ExperimentPlan& plan, const CompareOptions& options) {
  if (options.shards > 1) throw OptionError("--dry-run lists the runs of all shards; leave out --shard");
  check_output(plan);
  TimeEstimate time(plan, options.data, true);
  require_same_data(plan, time);
  std::vector<PlannedRun> runs, reported, later;  // later: trials that a search has not named yet
  bool open = false;                              // whether a choice is
  for (size_t r = 0; r < plan.rows.size(); ++r) {
    const size_t tuner = plan.tuned_by(r);
    const SearchState search = search_row(plan, tuner, trial_results(plan, tuner));
    if (plan.tunes() && tuner == r) {
      const std::vector<uint64_t>& seeds = plan.experiment.tuning_seeds;
      for (const size_t trial : search.asked)
        for (const uint64_t seed : seeds) runs.push_back(plan.run(r, trial, seed, true));
      later.resize(later.size() + (plan.trials_needed() - search.asked.size()) * seeds.size(), runs.back());
    }
    open = open || !search.chosen;
    for (PlannedRun& run : plan.reported(r, search.chosen.value_or(0))) reported.push_back(std::move(run));
  }
  runs.insert(runs.end(), std::make_move_iterator(reported.begin()), std::make_move_iterator(reported.end()));
  std::vector<double> left;
  size_t done = 0;
  for (const PlannedRun& run : runs) {
    const TimeEstimate::Images& images = time.images(run);
    if (!time.knows(run))
      time.saw(run, training_speed(run.options, engines(),
                                   framed_shape(images.channels, images.height, images.width, images.classes)));
    const RunState state = run_state(run);
    const double share = state.done() ? 1 : static_cast<double>(state.epochs) / static_cast<double>(run.options.epochs);
    const double seconds = *time.seconds(run);
    if (share < 1) left.push_back(seconds * (1 - share));
    done += state.done();
    fmt::print("{}  {:>9}  {}{}\n", run.tuning ? "tuning  " : "reported", hours_text(seconds), run.name,
               state.done()                          ? "  (done)"
               : state.status == RunStatus::kDamaged ? fmt::format("  (damaged: {})", state.problem)
               : share > 0                           ? fmt::format("  ({:.0f} % done)", 100 * share)
                                                     : "");
  }
  for (const PlannedRun& run : later) left.push_back(*time.seconds(run));
  if (!later.empty()) fmt::print("tuning             and {} whose values follow from these\n", later.size());
  fmt::print("\n{}: {} rows, {} tuning and {} reported runs, {} done\n", plan.experiment.title, plan.rows.size(),
             plan.tuning_runs(), reported.size(), done);
  // A run's speed was measured alone: more of them than the cores have room for are no faster.
  const size_t at_a_time = std::min(options.jobs, default_jobs(plan));
  fmt::print(
      "About {} for what is left with {} at a time, by speeds of one worker measured just now on random images.\n",
      hours_text(seconds_together(left, at_a_time)), at_a_time);
  if (open)
    fmt::print("Reported runs stand with the first trial's settings; the chosen ones follow from the tuning runs.\n");
  if (!time.missing().empty()) fmt::print("\nNothing can be run yet: {}\n", time.missing());
  return 0;
}

// fmt::print throws when standard output fails, as on a terminal that was closed; the files are there all the same, and
// the exit code is to say how the runs ended.
template <class... T>
void say(fmt::format_string<T...> text, T&&... values) {
  std::fputs(fmt::format(text, std::forward<T>(values)...).c_str(), stdout);
}

// Tables and report; the table on standard output too.
void write_results(const Comparison& c, const std::string& command) {
  const std::string& folder = c.plan.output;
  write_file_atomic(folder + "/table.md", markdown_text(c, command));
  write_file_atomic(folder + "/table.csv", csv_text(c));
  write_file_atomic(folder + "/table.json", json_text(c));
  say("\n{}\nTables         {}/table.md, table.csv, table.json\n", terminal_text(c), folder);
  const std::vector<RunGroup> groups = report_groups(c);
  if (groups.empty()) return;
  ReportContent content{.title = c.plan.experiment.title,
                        .lead = {command},
                        .tables = {},
                        .warnings = comparison_warnings(groups),
                        .charts = comparison_charts(c),
                        .groups = groups};
  content.tables.push_back(titled("Results", comparison_table(c), comparison_notes(c)));
  if (c.plan.tunes()) content.tables.push_back(trials_table(c));
  const ReportResult report = write_report(content, folder + "/report");
  if (!report.problem.empty()) say("Without curves: {}\n", report.problem);
  say("Report         {}\n", report.path);
}

int end_code(const CompareResult& result, bool time_up) {
  if (result.stopped && !time_up) return caught_signal == SIGINT ? kInterrupted : kTerminated;
  if (result.stopped) return kTimeUp;
  if (!result.failures.empty()) {
    const int code = result.failures.front().exit_code;
    if (code > 128) return exit_code(ErrorKind::kEnvironment);  // a signal: memory ran out, or somebody ended it
    return code >= 1 && code <= 5 ? code : kInternal;
  }
  if (!result.comparison.damaged.empty()) return exit_code(ErrorKind::kData);  // other shards'
  return result.waits ? kTimeUp : 0;
}

int run_compare(CompareCommand& c) {
  c.flags->apply();
  for (const char* name : {"RANK", "WORLD_SIZE"}) ::unsetenv(name);  // a cluster's: its runs are of no such world
  const Experiment experiment = read_experiment(c.file);
  const ExperimentPlan plan = make_plan(experiment, c.output.empty() ? "runs/" + experiment.name : c.output);
  CompareOptions options{.program = own_program(), .data = c.data};
  parse_shard(c.shard, options);
  options.jobs = c.jobs > 0 ? static_cast<size_t>(c.jobs) : default_jobs(plan);
  if (!c.collect) require_engines(plan);
  if (c.dry_run) return dry_run(plan, options);
  const std::string command = fmt::format("signstep compare {}", shell_quoted(c.file));
  if (c.collect) {
    if (!is_folder(plan.output))
      throw OptionError(
          fmt::format("there is no folder {} to collect runs from; name another with --output, or leave out --collect",
                      plan.output));
    check_output(plan);
    const Comparison comparison = compare_runs(plan);
    write_results(comparison, command);
    return comparison.damaged.empty() ? 0 : exit_code(ErrorKind::kData);
  }
  catch_stop_signals();
  const Stopwatch watch;
  bool time_up = false;
  const auto stop = [&] {
    time_up = time_up || (c.stop_after > 0 && watch.seconds() >= c.stop_after);
    return caught_signal != 0 || time_up;
  };
  CompareResult result;
  {
    OverviewConsole console(experiment.name, c.quiet);
    result = run_comparison(plan, options, stop, console);
  }
  write_results(result.comparison, command);
  for (const EndedRun& f : result.failures) say("Failed         {}: {}\n", f.run.folder, f.reason);
  if (result.stopped) say("\nStopped and saved. The same command continues.\n");
  if (result.waits)
    say("\nRuns of other shards or processes are not done yet. The same command continues when they are.\n");
  if (!result.failures.empty())
    say("\n{} failed; the same command tries again.\n",
        result.failures.size() == 1 ? "A run" : fmt::format("{} runs", result.failures.size()));
  return end_code(result, time_up && caught_signal == 0);
}

}  // namespace

void add_compare(CLI::App& app, Run& run) {
  auto command = std::make_shared<CompareCommand>();
  CLI::App* sub =
      app.add_subcommand("compare", "Carry out an experiment file: tuning, runs over seeds, table and report");
  sub->add_option("FILE", command->file, "experiment, such as experiments/quick.toml")->required();
  command->flags = std::make_unique<Flags>(*sub, command->list());
  sub->footer(
      "Finished runs are kept, half-finished ones continue: after any interruption the same command goes on.\n"
      "docs/experiments.md has the protocol and the format of the file.");
  sub->callback([command, &run] { run = [command] { return run_compare(*command); }; });
}

}  // namespace signstep::cli
