// SPDX-License-Identifier: Apache-2.0
#include "cli/train_settings.h"

#include <algorithm>

#include "cli/data_folder.h"
#include "signstep/base/error.h"
#include "signstep/base/number.h"
#include "signstep/base/text.h"
#include "signstep/io/config.h"
#include "signstep/io/path.h"
#include "signstep/options/own_defaults.h"
#include "signstep/runs/run_folder.h"
#include "signstep/train/init_weights.h"

namespace signstep::cli {
namespace {

std::string default_output(const TrainOptions& o) {
  std::string rule = o.optimizer.rule().display;
  std::transform(rule.begin(), rule.end(), rule.begin(), [](unsigned char c) { return std::tolower(c); });
  if (o.dither.dither != DitherKind::kNone) rule = "dithered-" + rule;
  if (o.switching.switch_when != SwitchWhen::kNever) rule += "-switch";
  const std::string base = fmt::format("runs/{}-{}-seed{}", o.dataset, rule, o.seed);
  std::string name = base;
  for (int n = 2; path_exists(name); ++n) name = fmt::format("{}-{}", base, n);
  return name;
}

// What the flags say of an option, "" where they do not.
std::string flag_of(const TrainCommand& c, const std::string& option) {
  for (const auto& [name, value] : c.flags->given())
    if (name == option) return value;
  return "";
}

bool gives(const TrainCommand& c, const std::string& option) {
  const auto& given = c.flags->given();
  return std::any_of(given.begin(), given.end(), [&](const auto& flag) { return flag.first == option; });
}

// Other first weights than those of the file or run that is followed have another checksum.
void forget_other_init(TrainCommand& c) {
  if (gives(c, "init") && !gives(c, "init_sha256")) c.options.init_sha256.clear();
}

// A file of one rule taken for another: its rule's own defaults do not hold for the other.
std::vector<std::string> take_for_another_rule(TrainCommand& c) {
  const std::string before = c.options.optimizer.rule().name, now = flag_of(c, "optimizer");
  if (now.empty() || now == before) return {};
  const CarriedOver carried = forget_own_defaults(c.options);
  std::vector<std::string> said;
  if (!carried.reset.empty())
    said.push_back(fmt::format("{} of {} {} {}'s own; {} takes its own", fmt::join(carried.reset, ", "), c.config,
                               carried.reset.size() == 1 ? "was" : "were", before, now));
  if (!carried.kept.empty())
    said.push_back(fmt::format("{} of {} {} chosen for {} and kept; a flag such as {} auto leaves it to {}",
                               fmt::join(carried.kept, ", "), c.config, carried.kept.size() == 1 ? "was" : "were",
                               before, c.flags->list().find(carried.kept.front())->flag(), now));
  return said;
}

void take_after(TrainCommand& c) {
  const std::string file = c.like + "/config.toml";
  if (!path_exists(file))
    throw OptionError(fmt::format("--like {} holds no run (no config.toml); name a run folder", c.like));
  read_recorded_toml(file, c.flags->list());
  forget_method(c.options);
  c.options.output.clear();
  if (!flag_of(c, "dataset").empty())
    c.options.data.clear();  // another set's
  else if (flag_of(c, "data").empty())
    c.options.data = data_folder_of(c.options);
}

// A decaying rate of 5 epochs is no beginning of one of 10.
void require_can_be_longer(const TrainOptions& o, const std::string& output, const std::string& before) {
  if (can_be_longer(o)) return;
  const std::vector<std::string> checkpoints = list_checkpoints(output);
  const std::string weights = checkpoints.empty() ? output : checkpoints.front();
  throw OptionError(
      fmt::format("this run was planned for {} epochs: its rate, dither or switch follows from that, and more epochs "
                  "would have been another run from the first step on. Start one from its weights:\n"
                  "  signstep train --config {} --init {} --epochs {} --output {}",
                  before, shell_quoted(output + "/config.toml"), shell_quoted(weights), o.epochs,
                  shell_quoted(output + "-longer")));
}

void read_resumed(TrainCommand& c) {
  if (!c.config.empty() || !c.like.empty() || c.dry_run)
    throw OptionError(fmt::format("--resume takes the run's recorded settings and goes on; leave out {}",
                                  !c.config.empty() ? "--config"
                                  : !c.like.empty() ? "--like"
                                                    : "--dry-run"));
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
    if (option->is(Role::kExtendable) && parse_integer(before) < parse_integer(option->text())) {
      require_can_be_longer(c.options, output, before);
      continue;
    }
    if (option->text() != before) {
      throw OptionError(
          fmt::format("{} is {} and the run was started with {}; a resumed run keeps its settings: leave "
                      "the flag out, or start another run",
                      option->flag(), value, before));
    }
  }
  c.flags->apply();
  if (gives(c, "init") && !c.options.init.empty() && !c.options.init_sha256.empty()) read_init(c.options);
  if (flag_of(c, "data").empty()) c.options.data = data_folder_of(c.options);
  c.options.output = output;
}

// A run that is there goes on as recorded; what its first start was told is not read again.
void resume_or_start(TrainCommand& c) {
  if (c.resume) throw OptionError("--resume and --resume-or-start are both given; choose one");
  std::string output;
  for (const auto& [name, value] : c.flags->given())
    if (name == "output") output = value;
  if (output.empty()) throw OptionError("--resume-or-start needs the folder that it looks into; name it: --output RUN");
  c.resume = path_exists(output + "/config.toml");
  if (c.resume) c.config = c.like = "";
}

}  // namespace

OptionList TrainCommand::list() {
  OptionList all = option_list(options);
  all.group("Session");
  all.duration("stop_after", session.stop_after, "save and stop after this long, such as 3h50m; 0: never")
      .role(Role::kSession)
      .role(Role::kCommon);
  all.duration("worker_timeout", session.worker_timeout,
               "how long workers wait for one another before they stop and name who is missing")
      .role(Role::kSession);
  all.choice("worker_backend", session.worker_backend, {"gloo", "nccl"},
             "what carries the workers' bytes: TCP, or NCCL with a CUDA device for each worker")
      .role(Role::kSession);
  all.flag("quiet", session.quiet, "print warnings and the summary only").role(Role::kSession).role(Role::kCommon);
  all.flag("progress_json", session.progress_json, "print progress as JSON lines, for other programs")
      .role(Role::kSession);
  all.flag("tensorboard", session.tensorboard, "write event files into the run's folder tensorboard while training")
      .role(Role::kSession);
  all.choice("log_level", session.log_level, {"debug", "info", "warning", "error"}, "of the console and log.txt")
      .role(Role::kSession);
  return all;
}

// Defaults, then another run or the file, then the flags. A resumed run takes the recorded file and refuses flags that
// differ.
std::vector<std::string> read_settings(TrainCommand& c) {
  std::vector<std::string> said;
  if (c.resume_or_start) resume_or_start(c);
  if (c.resume) {
    read_resumed(c);
    return said;
  }
  if (!c.config.empty() && !c.like.empty()) throw OptionError("--config and --like are both given; choose one");
  if (!c.like.empty()) take_after(c);
  if (!c.config.empty()) {
    read_toml(c.config, c.flags->list());
    said = take_for_another_rule(c);
  }
  forget_other_init(c);
  c.flags->apply();
  if (c.options.output.empty()) c.options.output = default_output(c.options);
  return said;
}

}  // namespace signstep::cli
