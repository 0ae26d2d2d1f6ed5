// SPDX-License-Identifier: Apache-2.0
// signstep train
#include <algorithm>
#include <chrono>
#include <cmath>

#include "cli/commands.h"
#include "cli/complain.h"
#include "cli/console.h"
#include "cli/engines.h"
#include "cli/event_log.h"
#include "cli/exit_code.h"
#include "cli/help.h"
#include "cli/stop_signal.h"
#include "cli/terminal.h"
#include "cli/train_settings.h"
#include "cli/workers.h"
#include "signstep/base/duration.h"
#include "signstep/base/stopwatch.h"
#include "signstep/base/text.h"
#include "signstep/data/epoch_size.h"
#include "signstep/data/split.h"
#include "signstep/experiment/time_estimate.h"
#include "signstep/io/config.h"
#include "signstep/io/path.h"
#include "signstep/optim/optimizer.h"
#include "signstep/runs/run_folder.h"
#include "signstep/train/init_weights.h"
#include "signstep/train/speed_probe.h"
#include "signstep/train/start_checks.h"

namespace signstep::cli {
namespace {

void print_summary(const TrainResult& result, const TrainCommand& command) {
  FILE* const out = command.session.progress_json ? stderr : stdout;  // there, nothing but JSON goes to the other
  const std::string folder = shell_quoted(result.run_folder);
  if (result.stopped != StopReason::kNone) {
    fmt::print(out, "\nStopped and saved. Continue with:\n  signstep train --resume --output {}\n", folder);
    return;
  }
  const EpochRecord last = result.last_epoch.value_or(EpochRecord{});
  fmt::print(
      out, "\nTest accuracy  {} after {} epoch{}{}\n",
      std::isnan(last.test_accuracy) ? "not measured" : fmt::format("{:.2f} %", last.test_accuracy), last.epoch,
      last.epoch == 1 ? "" : "s",
      std::isnan(last.validation_accuracy) ? "" : fmt::format(" (validation {:.2f} %)", last.validation_accuracy));
  if (result.images_per_second > 0) fmt::print(out, "Speed          {:.0f} images/s\n", result.images_per_second);
  if (!last.wire.empty()) {
    const auto sent = static_cast<double>(last.wire.vote + last.wire.gradient);
    fmt::print(out,
               "On the wire    {:.3g} MB from each worker in the last epoch; float32 takes {:.3g} MB, {:.3g} times\n",
               sent / 1e6, static_cast<double>(last.wire.float32) / 1e6, static_cast<double>(last.wire.float32) / sent);
  }
  fmt::print(out, "Run folder     {}\n", result.run_folder);
  fmt::print(out, "Next           signstep eval {}\n", folder);
  const std::string other = command.options.optimizer.rule().name == "sgd" ? "signum" : "sgd";
  fmt::print(out, "               signstep train --like {} --optimizer {} --output {}\n", folder, other,
             shell_quoted(result.run_folder + "-" + other));
}

// What train would refuse once it has read the images.
void require_startable(TrainOptions o, const Network& network, const DatasetCounts& images, size_t train,
                       const EpochSize& epoch, const EngineChoice& choice) {
  const auto batch = static_cast<size_t>(o.batch), ranks = static_cast<size_t>(o.workers.workers);
  require_full_batch(batch, train);
  require_batch_statistics(network, images.height, images.width, epoch, batch, ranks);
  require_storable_probes(o.analyze_every, epoch.batches * static_cast<uint64_t>(o.epochs));
  check_init_options(o, false);
  if (!o.init.empty()) set_first_weights(o, *choice.make(network));
  require_no_run(o.output);
}

// What the run would be and cost; nothing is written.
int dry_run(const TrainCommand& c) {
  TrainOptions o = resolved(with_absolute_paths(c.options));
  const DatasetCounts images = count_dataset(o.dataset, o.data, o.labels, o.image_size);
  const ImageShape shape = framed_shape(images.channels, images.height, images.width, images.classes);
  const Network network = make_network(o.network, shape.channels, shape.classes);
  const EngineChoice choice = choose_engine(engines(), o.engine, network);
  const size_t held_out = static_cast<size_t>(o.validation);
  const size_t train = make_split(images.train, held_out, static_cast<size_t>(o.limit_train)).train.size();
  const EpochSize epoch = epoch_size(train, static_cast<size_t>(o.batch), static_cast<size_t>(o.workers.workers));
  make_rule(o.optimizer, o.dither, o.switching, o.seed, epoch.batches * static_cast<uint64_t>(o.epochs));
  require_startable(o, network, images, train, epoch, choice);
  const double speed = training_speed(o, engines(), shape);
  const double seconds = run_seconds(o, images.train, images.test, speed);
  fmt::print("{}\n", to_toml(option_list(o), "What signstep train would run; --dry-run writes nothing."));
  fmt::print("Network        {}, width {}, {} parameters\n", network.display_name, network.options.width,
             network.parameter_count());
  fmt::print("Images         {} of {} to train on, {} held out, {} to test\n", train, images.folder, held_out,
             images.test);
  fmt::print("Steps          {} epoch{} of {}\n", o.epochs, o.epochs == 1 ? "" : "s", epoch.batches);
  fmt::print("Engine         {}{}\n", choice.options.name,
             choice.reason.empty() ? "" : fmt::format(", because {}", choice.reason));
  fmt::print("Time           about {}, at {:.0f} images/s measured just now on random images\n", clock_text(seconds),
             speed);
  fmt::print("Run folder     {}\n", c.options.output);
  return 0;
}

StopReason signalled() {
  if (caught_signal == SIGINT) return StopReason::kInterrupt;
  return caught_signal == SIGTERM ? StopReason::kTerminate : StopReason::kNone;
}

// Null where a signal came before all workers had.
std::unique_ptr<Workers> meet(const TrainCommand& c) {
  struct Stopped {};
  try {
    return std::make_unique<Workers>(c.options, c.session.worker_backend,
                                     std::chrono::milliseconds(std::llround(1000 * c.session.worker_timeout)), [] {
                                       if (caught_signal != 0) throw Stopped();
                                     });
  } catch (const Stopped&) {
    const std::optional<Rendezvous> where = rendezvous_from_environment();
    if (!where || where->rank == 0) complain("stopped before all workers had come; nothing was written");
    return nullptr;
  }
}

// A rank other than 0 has nothing to show. What another rank is the cause of, that one or rank 0 says, unless rank 0 is
// lost without having started this one; and what is wrong with the options or files that both have, rank 0.
int run_worker(const TrainOptions& options, const TrainControl& control, bool as_first) {
  TrainObserver silent;
  try {
    return exit_code(train(options, engines(), control, silent).stopped);
  } catch (const WireError& e) {
    if (as_first || !e.first_is_lost()) return exit_code(e.kind());
    throw;
  } catch (const Error& e) {
    if (as_first && e.kind() != ErrorKind::kEnvironment) return exit_code(e.kind());
    throw Error(e.kind(), fmt::format("rank {}: {}", control.world->rank(), e.what()));
  }
}

int run_train(TrainCommand& c) {
  const std::vector<std::string> notes = read_settings(c);
  if (c.dry_run) {
    for (const std::string& note : notes) complain(note);
    return dry_run(c);
  }
  catch_stop_signals();
  const Stopwatch watch;
  take_world_size(c.options, !c.resume);
  resolved(c.options);  // refuses before workers are started
  constexpr double kYear = 365 * 86400;
  if (!(c.session.worker_timeout > 0 && c.session.worker_timeout <= kYear))
    throw OptionError(fmt::format("worker_timeout is {}; wanted a time of up to a year, such as 5m",
                                  format_duration(c.session.worker_timeout)));
  const std::unique_ptr<Workers> met = meet(c);
  if (!met) return exit_code(signalled());
  const Workers& workers = *met;
  TrainControl control;
  control.resume = c.resume;
  control.world = workers.world();
  control.ranks_here = workers.here();
  control.stop = [&] {
    if (caught_signal != 0) return signalled();
    return c.session.stop_after > 0 && watch.seconds() >= c.session.stop_after ? StopReason::kTime : StopReason::kNone;
  };
  if (!workers.is_first()) return run_worker(c.options, control, workers.is_on_firsts_machine());
  TrainResult result;
  {
    Console console(c.session.quiet, c.session.log_level, c.session.progress_json);
    for (const std::string& note : notes) console.note(note);
    EventLog events(console);
    TrainObserver& observer = c.session.tensorboard ? static_cast<TrainObserver&>(events) : console;
    result = train(c.options, engines(), control, observer);
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
  sub->add_option("--like", command->like,
                  "another run's data, network, epochs, batch, schedule and seed, with the rule's own defaults")
      ->type_name("RUN");
  sub->add_flag("--dry-run", command->dry_run, "print all settings, the time and the folder, and train nothing");
  sub->add_flag("--resume", command->resume, "continue the run in --output with its recorded settings");
  sub->add_flag("--resume-or-start", command->resume_or_start,
                "for job scripts: --resume where --output holds a run, else start it");
  command->flags = std::make_unique<Flags>(*sub, command->list());
  shorten_help(*sub, command->flags->list());
  sub->footer(
      "Example: signstep train --dataset cifar10 --optimizer signum --width 16 --epochs 5 --output runs/first\n"
      "In a TOML file a flag --learning-rate is the key learning_rate.");
  sub->callback([command, &run] { run = [command] { return run_train(*command); }; });
}

}  // namespace signstep::cli
