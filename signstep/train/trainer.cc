// SPDX-License-Identifier: Apache-2.0
#include "signstep/train/trainer.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "signstep/base/cpu.h"
#include "signstep/base/error.h"
#include "signstep/base/stopwatch.h"
#include "signstep/io/config.h"
#include "signstep/runs/run_folder.h"
#include "signstep/train/divergence.h"
#include "signstep/train/epoch_figures.h"
#include "signstep/train/init_weights.h"
#include "signstep/train/restore.h"
#include "signstep/train/run_images.h"
#include "signstep/train/run_ranks.h"
#include "signstep/train/run_recorder.h"
#include "signstep/train/same_run.h"
#include "signstep/train/session_speed.h"
#include "signstep/train/speed_watch.h"
#include "signstep/train/start_checks.h"
#include "signstep/train/thread_choice.h"

namespace signstep {
namespace {

class Run {
 public:
  // threads_open: how many is left to the machine.
  Run(TrainOptions options, EngineChoice choice, bool threads_open, const TrainControl& control,
      TrainObserver& observer)
      : options_(std::move(options)),
        control_(control),
        observer_(observer),
        ranks_(control.world),
        images_(options_, ranks_.rank()),
        choice_(std::move(choice)),
        threads_reason_(settle(threads_open)),
        total_steps_(static_cast<uint64_t>(options_.epochs) * batches()),
        learner_(first_engine(),
                 make_rule(options_.optimizer, options_.dither, options_.switching, options_.seed, total_steps_,
                           options_.workers),
                 Schedule(options_.schedule, total_steps_), ranks_.world()),
        identity_(identity()),
        record_(options_, identity_, images_.data, learner_.engine(), images_.split),
        folder_(ranks_.open_folder(options_.output, control.resume)) {  // last: a refused run leaves no folder behind
    ranks_.hold_folder();
    if (learner_.engine().renders()) images_.leave_raw();
  }

  TrainResult go() {
    if (control_.resume) record_.continues(folder_.path(), identity_);
    observer_.started(folder_.path(), record_.record());
    if (!choice_.reason.empty())
      observer_.note(fmt::format("engine {}, because {}", choice_.options.name, choice_.reason));
    if (!threads_reason_.empty()) observer_.note(threads_reason_);
    if (!learner_.stepping().empty()) observer_.note(learner_.stepping());
    if (learner_.engine().renders()) observer_.note("images are normalised and augmented on the device");
    const size_t cores = cpu_features().threads;
    if (options_.engine.threads > static_cast<int64_t>(cores)) {
      observer_.warning(
          fmt::format("{} threads on {} cores that this process may use wait for each other and train more slowly; {}",
                      options_.engine.threads, cores,
                      control_.resume ? "a resumed run keeps its number"
                                      : fmt::format("leave out --threads, or take at most {}", cores)));
    }
    if (control_.resume) restore();
    if (record_.was_finished() && is_complete()) {
      observer_.note("the run is finished already; nothing was changed");
      return result(StopReason::kNone);
    }
    try {
      write_head();
      const StopReason stopped = epochs();
      folder_.write_record(
          record_.finish(stopped == StopReason::kNone ? RunRecord::kFinished : RunRecord::kStopped, progress_.metrics));
      return result(stopped);
    } catch (const DivergedError& e) {
      record_end(RunRecord::kDiverged);
      observer_.failed(e.what());
      throw;
    } catch (const std::exception& e) {
      record_end(RunRecord::kFailed);
      observer_.failed(e.what());
      throw;
    }
  }

 private:
  // The checkpoint comes before the figures, which may take long: a process that is killed there loses nothing.
  StopReason epochs() {
    StopReason reason = StopReason::kNone;
    while (reason == StopReason::kNone && !is_complete()) {
      reason = steps_of_epoch();
      save();
      if (reason != StopReason::kNone) break;
      require_bounded_loss(progress_.mean_loss(),
                           progress_.metrics.empty() ? INFINITY : progress_.metrics.front().train_loss,
                           images_.data.train.classes, options_.diverged_above, progress_.epoch + 1);
      reason = end_epoch();
    }
    return reason;
  }

  // The rest of the epoch under way. Leaves early only between steps.
  StopReason steps_of_epoch() {
    Batch batch;
    images_.training.start_epoch(progress_.epoch, progress_.batch);
    for (Stopwatch watch; images_.training.next(batch); watch = {}) {
      double probe_seconds = 0;
      const LearnerStep step = learner_.step(batch, [&](const BatchResult& gradient) {
        require_finite_loss(gradient.loss, steps() + 1, progress_.epoch + 1, learner_.rate(steps()), folder_.path());
        probe_seconds = probe(batch.count);
      });
      if (const auto& event = step.report.switching.event) observer_.note(event->text());
      if (options_.on_nonfinite == OnNonFinite::kStop)
        require_finite_gradient(step.report, steps(), learner_.network());
      const size_t images = batch.count * static_cast<size_t>(options_.workers.workers);
      stepped_ = true;
      progress_.add(step, steps(), images, batches());
      account(images, watch.seconds() - probe_seconds, probe_seconds);
      if (progress_.batch == batches()) {
        learner_.share();
        continue;
      }
      if (const StopReason reason = stop(); reason != StopReason::kNone) return reason;
      if (options_.checkpoint_every > 0 && steps() % static_cast<uint64_t>(options_.checkpoint_every) == 0) save();
    }
    return StopReason::kNone;
  }

  // Ends the epoch with its figures; when stopped on the way, a resumed run measures again.
  StopReason end_epoch() {
    StopReason reason = StopReason::kNone;
    // A session whose time is over measures all the same where it has done nothing else: the next would not get
    // further.
    const auto stopped = [&] {
      reason = stop();
      if (reason == StopReason::kTime && !stepped_) reason = StopReason::kNone;
      return reason != StopReason::kNone;
    };
    auto figures =
        measure_epoch(learner_.engine(), images_, options_, progress_.epoch + 1, observer_, stopped, ranks_.world());
    if (!figures) return reason;
    figures->images_per_second = session_.images_per_second();
    const EpochRecord& epoch =
        progress_.end_epoch(*figures, steps(), learner_.rate(steps() - 1), options_.optimizer.takes_sign());
    folder_.append_metrics(epoch);
    save();
    observer_.epoch(epoch);
    return is_complete() ? StopReason::kNone : stop();
  }

  // Of the gradient that the engine holds. Returns the seconds that it took.
  double probe(size_t images) {
    if (!images_.probe || (steps() + 1) % static_cast<uint64_t>(options_.analyze_every) != 0) return 0;
    const Stopwatch watch;
    const GradientPair pair = images_.probe->measure(learner_.engine(), images, steps() + 1);
    const double seconds = watch.seconds();
    append_pair(progress_.course.probe, steps() + 1, pair, seconds);
    return seconds;
  }

  // A finished step's time, and what there is to see of it.
  void account(size_t images, double seconds, double probe_seconds) {
    progress_.train_seconds += seconds;
    session_.add(seconds, probe_seconds, images);
    if (const auto fall = speed_.saw(images, seconds)) observer_.warning(fall->text(options_.engine.threads));
    observer_.batch({.epoch = progress_.epoch + 1,
                     .epochs = static_cast<uint64_t>(options_.epochs),
                     .batch = progress_.batch,
                     .batches = batches(),
                     .loss = progress_.mean_loss(),
                     .accuracy = progress_.accuracy(),
                     .images_per_second = session_.images_per_second().value_or(0),
                     .seconds_left = session_.seconds_per_step() * static_cast<double>(total_steps_ - steps())});
  }

  void save() {
    const std::string path = folder_.checkpoint(steps());
    if (ranks_.world() == nullptr)
      save_checkpoint(path, learner_, progress_, identity_);
    else
      save_checkpoint(path, learner_, progress_, identity_, *ranks_.world(), parts_);
    folder_.prune_checkpoints();
  }

  // Without any checkpoint the run starts again from its first weights.
  void restore() {
    const std::string path = restore_newest(
        folder_.path(), identity_, learner_, progress_, parts_,
        [&](const std::string& damage) { observer_.warning(damage); }, ranks_.world());
    if (path.empty()) {
      set_first_weights(options_, learner_.engine());
      observer_.note("no checkpoint yet: starting from the first step");
    } else {
      observer_.note(fmt::format("resumed from {} at step {} of {}", path, steps(), total_steps_));
    }
  }

  // config.toml comes first: a folder that has it can be resumed.
  void write_head() {
    folder_.write_config(to_toml(option_list(options_),
                                 "Written by signstep. Repeat this run: signstep train --config THIS --output NEW"));
    folder_.write_record(record_.start(steps()));
    folder_.write_metrics(progress_.metrics);
  }

  // A disk that refused the checkpoint refuses this too, and memory may be out: the first error is the one to tell.
  void record_end(const char* status) {
    try {
      folder_.write_record(record_.finish(status, progress_.metrics));
    } catch (const std::exception&) {
    }
  }

  TrainResult result(StopReason stopped) const {
    return {stopped, progress_.metrics.empty() ? std::nullopt : std::optional(progress_.metrics.back()),
            session_.images_per_second().value_or(0), folder_.path()};
  }

  Network network() const {
    return make_network(options_.network, images_.data.train.channels, images_.data.train.classes);
  }

  // What the machine decides is fixed in the options: where the images were found, and how many threads. Returns why so
  // many.
  std::string settle(bool threads_open) {
    options_.data = images_.data.folder;
    option_list(options_).validate();  // the folder's name goes into a file, which must be read again
    return threads_open ? fit() : "";
  }

  std::string fit() {
    const ImageSet& images = images_.data.train;
    const ImageShape shape = framed_shape(images.channels, images.height, images.width, images.classes);
    std::string reason = fit_threads(choice_, network(), shape, static_cast<size_t>(options_.batch));
    options_.engine = choice_.options;
    return reason;
  }

  RunIdentity identity() {
    return {to_json(option_list(options_)), images_.data.checksum(), &options_.optimizer.rules(),
            images_.data.spec->folder_reader ? images_.data.class_names : std::vector<std::string>(),
            images_.data.train.height};
  }

  // A new run's with its first weights, so that a bad --init is found before anything is written. The ranks have found
  // out that they mean the same run before they exchange anything else.
  std::unique_ptr<Engine> first_engine() {
    if (ranks_.world() != nullptr) require_same_run(*ranks_.world(), identity(), control_.resume);
    check_init_options(options_, control_.resume);
    require_storable_probes(options_.analyze_every, total_steps_);
    const ImageSet& images = images_.data.train;
    require_batch_statistics(network(), images.height, images.width,
                             {images_.training.samples_per_epoch(), images_.training.batches_per_epoch()},
                             static_cast<size_t>(options_.batch), static_cast<size_t>(options_.workers.workers));
    auto engine = choice_.make(network());
    if (!control_.resume) set_first_weights(options_, *engine);
    return engine;
  }

  StopReason stop() { return ranks_.agreed(control_.stop()); }
  bool is_complete() const { return progress_.epoch == static_cast<uint64_t>(options_.epochs); }
  uint64_t batches() const { return images_.training.batches_per_epoch(); }
  uint64_t steps() const { return learner_.steps(); }  // taken so far

  TrainOptions options_;
  const TrainControl& control_;
  TrainObserver& observer_;
  const RunRanks ranks_;
  RunImages images_;
  EngineChoice choice_;
  std::string threads_reason_;
  uint64_t total_steps_;
  Learner learner_;
  RunIdentity identity_;
  RunRecorder record_;
  RunFolder folder_;
  TrainProgress progress_;
  RankParts parts_;
  SessionSpeed session_;
  SpeedWatch speed_;
  bool stepped_ = false;  // in this session
};

}  // namespace

TrainResult train(TrainOptions options, const EngineTable& engines, const TrainControl& control,
                  TrainObserver& observer) {
  options = resolved(with_absolute_paths(std::move(options)));
  const size_t ranks = control.world == nullptr ? 1 : control.world->size();
  if (ranks != static_cast<size_t>(options.workers.workers))
    throw OptionError(fmt::format("the run has {} workers, and {} ranks are here; start as many, or change workers",
                                  options.workers.workers, ranks));
  // What differs from machine to machine is fixed when a run starts, so that its record repeats it. No data set has
  // more than three channels, and classes do not matter to an engine.
  const bool threads_open = options.engine.threads == 0 && ranks == 1;
  if (options.engine.threads == 0 && ranks > 1)
    options.engine.threads = static_cast<int64_t>(std::max<size_t>(1, cpu_features().threads / control.ranks_here));
  EngineChoice choice =
      choose_engine(engines, options.engine, make_network(options.network, 3, 10), /*recorded=*/control.resume);
  options.engine = choice.options;
  return Run(std::move(options), std::move(choice), threads_open, control, observer).go();
}

}  // namespace signstep
