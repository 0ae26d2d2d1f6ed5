// SPDX-License-Identifier: Apache-2.0
// signstep bench: speed beside other programs, measured in turn.
#include <algorithm>

#include "cli/bench_train.h"
#include "cli/commands.h"
#include "cli/flags.h"
#include "signstep/base/error.h"
#include "signstep/train/speed_probe.h"

namespace signstep::cli {
namespace {

struct BenchCommand {
  BenchTrainOptions options;
  std::unique_ptr<Flags> flags;
};

int run_bench_train(BenchCommand& c) {
  c.flags->apply();
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
  CLI::App* bench = app.add_subcommand("bench", "Measure speed beside PyTorch");
  bench->require_subcommand(1);
  CLI::App* sub =
      bench->add_subcommand("train", "Training steps of ResNet-18, ours and PyTorch's in turn; ends with their ratio");
  auto command = std::make_shared<BenchCommand>();
  command->options.script = SIGNSTEP_PYTORCH_SCRIPT;
  OptionList list;
  describe(list, command->options);
  command->flags = std::make_unique<Flags>(*sub, std::move(list));
  sub->callback([command, &run] { run = [command] { return run_bench_train(*command); }; });
}

}  // namespace signstep::cli
