// SPDX-License-Identifier: Apache-2.0
// signstep train
#include <algorithm>
#include <cmath>

#include "cli/commands.h"
#include "cli/console.h"
#include "cli/engines.h"
#include "cli/exit_code.h"
#include "cli/flags.h"
#include "cli/stop_signal.h"
#include "signstep/base/stopwatch.h"
#include "signstep/base/text.h"
#include "signstep/io/config.h"
#include "signstep/io/path.h"

namespace signstep::cli {
namespace {

// Of this session only: not part of what a run is.
struct SessionOptions {
  double stop_after = 0;
  bool quiet = false;
  bool progress_json = false;
  LogLevel log_level = LogLevel::kInfo;
};

struct TrainCommand {
  TrainOptions options;
  SessionOptions session;
  std::string config;
  bool resume = false;
  std::unique_ptr<Flags> flags;

  OptionList list() {
    OptionList all = option_list(options);
    all.group("Session");
    all.duration("stop_after", session.stop_after, "save and stop after this long, such as 3h50m; 0: never")
        .role(Role::kSession);
    all.flag("quiet", session.quiet, "print warnings and the summary only").role(Role::kSession);
    all.flag("progress_json", session.progress_json, "print progress as JSON lines, for other programs")
        .role(Role::kSession);
    all.choice("log_level", session.log_level, {"debug", "info", "warning", "error"}, "of the console and log.txt")
        .role(Role::kSession);
    return all;
  }
};

std::string default_output(const TrainOptions& o) {
  std::string rule = o.optimizer.rule().display;
  std::transform(rule.begin(), rule.end(), rule.begin(), [](unsigned char c) { return std::tolower(c); });
  const std::string base = fmt::format("runs/{}-{}-seed{}", o.dataset, rule, o.seed);
  std::string name = base;
  for (int n = 2; path_exists(name); ++n) name = fmt::format("{}-{}", base, n);
  return name;
}

// Defaults, then the file, then the flags. A resumed run takes the recorded file and refuses flags that differ.
void read_settings(TrainCommand& c) {
  if (!c.resume) {
    if (!c.config.empty()) read_toml(c.config, c.flags->list());
    c.flags->apply();
    if (c.options.output.empty()) c.options.output = default_output(c.options);
    return;
  }
  if (!c.config.empty()) throw OptionError("--resume takes the run's recorded settings; leave out --config");
  c.flags->apply();
  if (c.options.output.empty()) throw OptionError("--resume needs the run to continue; name its folder: --output RUN");
  const std::string output = c.options.output, recorded = output + "/config.toml";
  if (!path_exists(recorded)) {
    throw OptionError(fmt::format("{} holds no run to resume (no config.toml); start it without --resume", output));
  }
  const TrainOptions defaults;
  c.options = defaults;
  read_recorded_toml(recorded, c.flags->list());
  for (const auto& [name, value] : c.flags->given()) {
    const Option* option = c.flags->list().find(name);
    if (option->is(Role::kResumable) || option->is(Role::kSession)) continue;
    const std::string before = option->text();
    option->parse(value);
    if (option->text() != before) {
      throw OptionError(
          fmt::format("{} is {} and the run was started with {}; a resumed run keeps its settings: leave "
                      "the flag out, or start another run",
                      option->flag(), value, before));
    }
  }
  c.flags->apply();
  c.options.output = output;
}

void print_summary(const TrainResult& result, const TrainCommand& command) {
  FILE* const out = command.session.progress_json ? stderr : stdout;  // there, nothing but JSON goes to the other
  const std::string folder = shell_quoted(result.run_folder);
  if (result.stopped != StopReason::kNone) {
    fmt::print(out, "\nStopped and saved. Continue with:\n  signstep train --resume --output {}\n", folder);
    return;
  }
  const EpochRecord last = result.last_epoch.value_or(EpochRecord{});
  fmt::print(out, "\nTest accuracy  {:.2f} % after {} epoch{}", last.test_accuracy, last.epoch,
             last.epoch == 1 ? "" : "s");
  if (!std::isnan(last.validation_accuracy)) fmt::print(out, " (validation {:.2f} %)", last.validation_accuracy);
  fmt::print(out, "\n");
  if (result.images_per_second > 0) fmt::print(out, "Speed          {:.0f} images/s\n", result.images_per_second);
  fmt::print(out, "Run folder     {}\n", result.run_folder);
  fmt::print(out, "Next           signstep eval {}\n", folder);
  const TrainOptions& o = command.options;
  const std::string data = o.data.empty() ? "" : " --data " + shell_quoted(o.data);
  const NetworkOptions network = resolved(o.network);
  fmt::print(out, "               signstep train --dataset {}{} --network {} --width {} --optimizer {} --output {}\n",
             o.dataset, data, network.name, network.width, o.optimizer.rule().name == "sgd" ? "signum" : "sgd",
             shell_quoted(result.run_folder + "-2"));
}

int run_train(TrainCommand& c) {
  read_settings(c);
  catch_stop_signals();
  const Stopwatch watch;
  TrainControl control;
  control.resume = c.resume;
  control.stop = [&] {
    if (caught_signal == SIGINT) return StopReason::kInterrupt;
    if (caught_signal == SIGTERM) return StopReason::kTerminate;
    return c.session.stop_after > 0 && watch.seconds() >= c.session.stop_after ? StopReason::kTime : StopReason::kNone;
  };
  TrainResult result;
  {
    Console console(c.session.quiet, c.session.log_level, c.session.progress_json);
    result = train(c.options, engines(), control, console);
    if (result.stopped != StopReason::kNone) console.note("stopped and saved");
  }
  print_summary(result, c);
  return exit_code(result.stopped);
}

}  // namespace

void add_train(CLI::App& app, Run& run) {
  auto command = std::make_shared<TrainCommand>();
  CLI::App* sub = app.add_subcommand("train", "Train a network and write a run folder");
  sub->add_option("--config", command->config, "TOML file with any of these options; flags win")->type_name("FILE");
  sub->add_flag("--resume", command->resume, "continue the run in --output with its recorded settings");
  command->flags = std::make_unique<Flags>(*sub, command->list());
  sub->footer(
      "Example: signstep train --dataset cifar10 --optimizer signum --width 16 --epochs 5 --output runs/first\n"
      "In a TOML file a flag --learning-rate is the key learning_rate.");
  sub->callback([command, &run] { run = [command] { return run_train(*command); }; });
}

}  // namespace signstep::cli
