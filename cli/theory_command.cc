// SPDX-License-Identifier: Apache-2.0
// signstep theory: the rate bound and its two failures, on problems with known answers.
#include <cmath>

#include "cli/commands.h"
#include "cli/flags.h"
#include "cli/progress.h"
#include "signstep/analysis/theory_report.h"
#include "signstep/base/cpu.h"
#include "signstep/base/error.h"
#include "signstep/io/atomic_file.h"
#include "signstep/parallel/thread_pool.h"
#include "signstep/report/figures.h"

namespace signstep::cli {
namespace {

struct TheoryCommand {
  TheoryOptions options;
  bool json = false, quiet = false;
  std::unique_ptr<Flags> flags;

  OptionList list() {
    OptionList l;
    describe(l, options);
    l.group("Session");
    l.flag("json", json, "print one JSON object in the place of the tables");
    l.flag("quiet", quiet, "no progress line");
    return l;
  }
};

std::string verdict(const RateCurve& c) {
  if (c.holds()) return c.assumptions() ? "holds" : "holds here";
  return c.assumptions() ? "BROKEN: please report" : "broken";
}

void print_rates(const std::vector<RateCurve>& rates, int64_t seeds) {
  fmt::print(
      "SignSGD at the best constant rate, mean over {} seeds. Ratio: SNR-weighted stationarity over its bound.\n",
      seeds);
  std::string problem;
  for (const RateCurve& c : rates) {
    if (c.problem != problem) {
      problem = c.problem;
      fmt::print("\n{:<10} {:>5}  {:>6}  {:>13}  {:>17}  {:>6}  {:>8}  {:>6}\n", problem, "batch", "dither", "steps K",
                 "ratio, largest K", "worst", "slope", "l1");
    }
    fmt::print("{:<10} {:>5}  {:>6}  {:>13}  {:>7.3f} +- {:<6.3f}  {:>6.2f}  {:>8.3f}  {:>6.3f}  {}{}\n",
               noise_name(c.noise), c.batch, c.dither > 0 ? fmt::format("{:g} sd", c.dither) : "",
               fmt::format("{} - {}", c.points.front().steps, c.points.back().steps), c.points.back().ratio(),
               c.points.back().ratio_error(), c.worst_ratio(), c.weighted_slope, c.l1_slope, verdict(c),
               c.settled ? "" : ", never settles");
  }
  fmt::print(
      "\nslope, l1: of the SNR-weighted stationarity and of the l1 norm over K in log-log; theory says -1/2 for the "
      "first.\n"
      "skewed and bimodal noise breaks an assumption; larger batches and dither mend it.\n");
}

void print_valley(const std::vector<ValleyCurve>& valley) {
  fmt::print(
      "\nCounterexample: slope 1/4, one sample's gradient is +4 (probability 1/4) or -1 (3/4); {} steps.\n"
      "dither   E[sign]   w(S)   sign stops at   f - f* after, over before   stationarity / bound\n",
      valley.front().end.steps);
  for (const ValleyCurve& c : valley) {
    fmt::print("{:>6.4g}  {:>8.4f}  {:>5.3f}  {:>14}  {:>14.3f} +- {:<8.3f}  {:>10.3f}  {}\n", c.dither,
               c.expected_sign, c.promise,
               std::isfinite(c.fixed_point) ? fmt::format("g = {:.3f}", c.fixed_point) : "nowhere", c.end.gap.mean,
               c.end.gap.standard_error(), c.end.ratio(),
               c.expected_sign < -1e-3  ? "walks uphill"
               : c.expected_sign < 1e-3 ? "no drift"
                                        : "descends");
  }
}

int run_theory(TheoryCommand& c) {
  c.flags->apply();
  const TheoryOptions& o = c.options;
  make_folders(o.output);
  ThreadPool pool(o.threads > 0 ? static_cast<size_t>(o.threads) : cpu_features().threads);
  std::vector<RateCurve> rates;
  std::vector<ValleyCurve> valley;
  {
    Progress line(c.quiet || c.json);
    rates = measure_rates(
        o, pool, [&](size_t done, size_t total, const std::string& part) { line.update(done, total, part, "rates"); });
    valley = measure_valley(
        o, pool, [&](size_t done, size_t total, const std::string& part) { line.update(done, total, part, "valley"); });
  }
  const nlohmann::ordered_json json = to_json(rates, valley, o);
  write_file_atomic(o.output + "/theory.json", json.dump(1) + "\n");
  const Figures figures = write_figures(theory_charts(rates, valley), {.folder = o.output});
  if (c.json) {
    fmt::print("{}\n", json.dump());
    return 0;
  }
  print_rates(rates, o.seeds);
  print_valley(valley);
  fmt::print("\nWritten     {}/theory.json", o.output);
  fmt::print("{}\n", figures.drawn.empty() ? "" : fmt::format(" and {} figures (*.svg)", figures.drawn.size()));
  if (!figures.problem.empty()) fmt::print("No figures  {}\n", figures.problem);
  return 0;
}

}  // namespace

void add_theory(CLI::App& app, Run& run) {
  CLI::App* sub = app.add_subcommand("theory", "Check the convergence theory on problems with known answers");
  auto command = std::make_shared<TheoryCommand>();
  command->flags = std::make_unique<Flags>(*sub, command->list());
  sub->footer("docs/theory.md has the theorem, its proof and what each column means.");
  sub->callback([command, &run] { run = [command] { return run_theory(*command); }; });
}

}  // namespace signstep::cli
