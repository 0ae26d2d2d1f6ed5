// SPDX-License-Identifier: Apache-2.0
// signstep bench: speed beside what bounds it and beside other programs, measured in turn.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/bench_table.h"
#include "cli/bench_train.h"
#include "cli/commands.h"
#include "cli/flags.h"
#include "cli/terminal.h"
#include "signstep/base/error.h"
#include "signstep/base/text_table.h"
#include "signstep/kernels/sign_kernel.h"
#include "signstep/runs/run_record.h"
#include "signstep/runs/run_summary.h"
#include "signstep/train/speed_probe.h"

namespace signstep::cli {
namespace {

struct BenchTableCommand {
  BenchTableOptions options;
  std::unique_ptr<Flags> flags;
};

std::string speed_text(double speed, const std::string& unit) {
  return unit == "GB/s" ? fmt::format("{:.1f} {}", speed, unit) : fmt::format("{:.0f} {}", speed, unit);
}

void print_table(const BenchTable& bench) {
  TextTable table{{"what", "speed", "beside", "", "of it"}, {}};
  for (const BenchRow& row : bench.rows) {
    const bool limited = !row.limit.empty();
    table.rows.push_back({row.what, speed_text(row.speed, row.unit), row.limit,
                          limited ? speed_text(row.limit_speed, row.unit) : "",
                          limited ? fmt::format("{:.0f} %", 100 * row.share) : ""});
  }
  fmt::print("{}, target {}\n\n{}", shown(this_machine()), simd_target(), aligned(table));
  if (!bench.note.empty()) fmt::print("\n{}\n", bench.note);
}

void print_json(const BenchTable& bench) {
  nlohmann::ordered_json out = {
      {"machine", fields_json(this_machine())}, {"target", simd_target()}, {"rows", nlohmann::ordered_json::array()}};
  for (const BenchRow& row : bench.rows) {
    out["rows"].push_back({{"what", row.what}, {"speed", row.speed}, {"unit", row.unit}});
    if (!row.limit.empty())
      out["rows"].back().update({{"beside", row.limit}, {"beside_speed", row.limit_speed}, {"share", row.share}});
  }
  if (!bench.note.empty()) out["note"] = bench.note;
  fmt::print("{}\n", out.dump());
}

int run_bench_table(BenchTableCommand& c) {
  c.flags->apply();
  BenchTable bench;
  {
    LiveText live(!c.options.json, std::chrono::milliseconds(100), std::chrono::seconds(30));
    bench = bench_table(c.options, [&](const std::string& line) {
      if (live.draws()) live.draw(line);
    });
  }
  if (c.options.json)
    print_json(bench);
  else
    print_table(bench);
  return 0;
}

struct BenchCommand {
  BenchTrainOptions options;
  std::unique_ptr<Flags> flags;
};

int run_bench_train(BenchCommand& c) {
  c.flags->apply();
  if (c.options.script.empty()) c.options.script = SIGNSTEP_PYTORCH_SCRIPT;
  const auto say = [](const std::string& line) {
    fmt::print("{}\n", line);
    std::fflush(stdout);
  };
  const BenchTrainResult r = bench_train(c.options, say);
  const auto summary = [&](const char* who, const std::vector<double>& v) {
    const auto [low, high] = std::minmax_element(v.begin(), v.end());
    say(fmt::format("{} median {:.1f} images/s (from {:.1f} to {:.1f})", who, median(v), *low, *high));
  };
  summary("ours   ", r.ours);
  if (r.theirs.empty()) return 0;
  summary("theirs ", r.theirs);
  say(fmt::format("ratio {:.3f}", r.ratio()));
  return 0;
}

}  // namespace

void add_bench(CLI::App& app, Run& run) {
  CLI::App* bench = app.add_subcommand("bench", "What this machine does, each figure beside what bounds it");
  auto table = std::make_shared<BenchTableCommand>();
  OptionList table_list;
  describe(table_list, table->options);
  table->flags = std::make_unique<Flags>(*bench, std::move(table_list));
  bench->footer("signstep bench train measures training beside PyTorch's; signstep bench train --help says more.");
  bench->callback([table, bench, &run] {
    if (bench->get_subcommands().empty()) run = [table] { return run_bench_table(*table); };
  });
  CLI::App* sub = bench->add_subcommand("train", "Training steps, ours and PyTorch's in turn; ends with their ratio");
  sub->footer("Example: signstep bench train --width 16 --batch 128 --steps 8");
  auto command = std::make_shared<BenchCommand>();
  OptionList list;
  describe(list, command->options);
  command->flags = std::make_unique<Flags>(*sub, std::move(list));
  sub->callback([command, &run] { run = [command] { return run_bench_train(*command); }; });
}

}  // namespace signstep::cli
