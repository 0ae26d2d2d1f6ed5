// SPDX-License-Identifier: Apache-2.0
// signstep theory: the rate bound and its two failures, on problems with known answers.
#include "cli/commands.h"
#include "cli/flags.h"
#include "cli/progress.h"
#include "signstep/analysis/theory_page.h"
#include "signstep/analysis/theory_report.h"
#include "signstep/analysis/theory_tables.h"
#include "signstep/base/cpu.h"
#include "signstep/base/error.h"
#include "signstep/io/atomic_file.h"
#include "signstep/parallel/thread_pool.h"
#include "signstep/report/page.h"

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

void print_tables(const std::vector<RateCurve>& rates, const std::vector<ValleyCurve>& valley, int64_t seeds) {
  fmt::print("{}\n\n", theory_verdict(rates));
  fmt::print(
      "SignSGD at the best constant rate, mean over {} seeds. Ratio: SNR-weighted stationarity over its bound.\n",
      seeds);
  for (const std::string& problem : problems_of(rates)) fmt::print("\n{}", aligned(rate_table(rates, problem)));
  fmt::print(
      "\nslope, l1 slope: of the SNR-weighted stationarity and of the l1 norm over K in log-log; theory says -1/2 for "
      "the first.\n\n"
      "Counterexample: slope 1/4, one sample's gradient is +4 (probability 1/4) or -1 (3/4); {} steps.\n{}",
      valley.front().end.steps, aligned(valley_table(valley)));
}

int run_theory(TheoryCommand& c) {
  c.flags->apply();
  const TheoryOptions& o = c.options;
  make_folders(o.output);
  require_own_folder(o.output, "theory.html", "theory.json");
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
  const Figures figures =
      write_page(theory_page(rates, valley, o), theory_charts(rates, valley), o.output, "theory.html");
  if (c.json) {
    fmt::print("{}\n", json.dump());
    return 0;
  }
  print_tables(rates, valley, o.seeds);
  fmt::print("\nWritten     {}/theory.html, theory.json{}\n", o.output, figures_text(figures));
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
