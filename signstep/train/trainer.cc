// SPDX-License-Identifier: Apache-2.0
#include "signstep/train/trainer.h"

#include <chrono>
#include <optional>
#include <utility>

#include "signstep/base/error.h"
#include "signstep/data/split.h"
#include "signstep/io/config.h"
#include "signstep/runs/run_folder.h"
#include "signstep/train/curve.h"
#include "signstep/train/divergence.h"
#include "signstep/train/epoch_figures.h"
#include "signstep/train/gradient_probe.h"
#include "signstep/train/init_weights.h"
#include "signstep/train/restore.h"
#include "signstep/train/run_recorder.h"
#include "signstep/train/session_speed.h"
#include "signstep/train/speed_watch.h"
#include "signstep/train/tensor_slots.h"
#include "signstep/train/thread_choice.h"

namespace signstep {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

class Run {
 public:
  // threads_open: how many is left to the machine.
  Run(TrainOptions options, EngineChoice choice, bool threads_open, const TrainControl& control,
      TrainObserver& observer)
      : options_(std::move(options)),
        control_(control),
        observer_(observer),
        data_(load_dataset(options_.dataset, options_.data, options_.labels)),
        split_(make_split(data_.train.count(), static_cast<size_t>(options_.validation))),
        loader_(data_.train, split_.train, data_.spec->normalization, batches()),
        test_(evaluation_loader(data_.test, {}, options_)),
        validation_(split_.validation.empty() ? nullptr : evaluation_loader(data_.train, split_.validation, options_)),
        choice_(std::move(choice)),
        threads_reason_(threads_open ? fit_threads() : ""),
        engine_(first_engine()),
        total_steps_(static_cast<uint64_t>(options_.epochs) * loader_.batches_per_epoch()),
        rule_(make_rule(options_.optimizer, options_.dither, options_.switching, options_.seed, total_steps_)),
        state_(make_state(*rule_, engine_->network().parameter_elements, engine_->network().parameters.size())),
        schedule_(options_.schedule, total_steps_),
        identity_{to_json(option_list(options_)), data_.checksum(), &options_.optimizer.rules()},
        record_(options_, identity_, data_, *engine_, split_.train.size()) {
    if (options_.analyze_every > 0) probe_.emplace(data_.train, split_.train, data_.spec->normalization, batches());
    slots_ = tensor_slots(engine_->network());
    folder_.emplace(options_.output, control_.resume);  // last: a run that is refused leaves no folder behind
  }

  TrainResult go() {
    if (control_.resume) record_.continues(folder_->path(), identity_);
    observer_.started(folder_->path(), record_.record());
    if (!choice_.reason.empty())
      observer_.note(fmt::format("engine {}, because {}", choice_.options.name, choice_.reason));
    if (!threads_reason_.empty()) observer_.note(threads_reason_);
    if (control_.resume) restore();
    if (record_.was_finished() && is_complete()) {
      observer_.note("the run is finished already; nothing was changed");
      return result(StopReason::kNone);
    }
    try {
      write_head();
      const StopReason stopped = epochs();
      folder_->write_record(
          record_.finish(stopped == StopReason::kNone ? RunRecord::kFinished : RunRecord::kStopped, progress_.metrics));
      return result(stopped);
    } catch (const DivergedError& e) {
      record_end(RunRecord::kDiverged);
      observer_.warning(e.what());
      throw;
    } catch (const std::exception&) {
      record_end(RunRecord::kFailed);
      throw;
    }
  }

 private:
  LoaderOptions batches() const {
    return {.batch = static_cast<size_t>(options_.batch),
            .seed = options_.seed,
            .shuffle = true,
            .augment = options_.augment,
            .threads = static_cast<size_t>(options_.loader_threads)};
  }

  Network network() const { return make_network(options_.network, data_.train.channels, data_.train.classes); }

  // Why fewer than all cores, if so.
  std::string fit_threads() {
    if (options_.engine.device != Device::kCpu) return "";
    const ImageSet& images = data_.train;
    const ThreadChoice threads = choose_threads(
        choice_, network(), {images.channels, framed_side(images.height), framed_side(images.width), images.classes},
        static_cast<size_t>(options_.batch));
    const int64_t most = std::exchange(choice_.options.threads, threads.threads);
    options_.engine = choice_.options;
    return threads.reason(most);
  }

  // A new run's with its first weights, so that a bad --init is found before anything is written.
  std::unique_ptr<Engine> first_engine() {
    check_init_options(options_, control_.resume);
    auto engine = choice_.make(network());
    if (!control_.resume) set_first_weights(options_, *engine);
    return engine;
  }

  // Without any checkpoint the run starts again from its first weights.
  void restore() {
    const std::string path = restore_newest(folder_->path(), identity_, *rule_, *engine_, state_, progress_,
                                            [&](const std::string& damage) { observer_.warning(damage); });
    if (path.empty()) {
      set_first_weights(options_, *engine_);
      observer_.note("no checkpoint yet: starting from the first step");
    } else {
      observer_.note(fmt::format("resumed from {} at step {} of {}", path, state_.step, total_steps_));
    }
  }

  // config.toml comes first: a folder that has it can be resumed.
  void write_head() {
    folder_->write_config(to_toml(option_list(options_),
                                  "Written by signstep. Repeat this run: signstep train --config THIS --output NEW"));
    folder_->write_record(record_.start(state_.step));
    folder_->write_metrics(progress_.metrics);
  }

  // A disk that refused the checkpoint refuses this too, and memory may be out: the first error is the one to tell.
  void record_end(const char* status) {
    try {
      folder_->write_record(record_.finish(status, progress_.metrics));
    } catch (const std::exception&) {
    }
  }

  TrainResult result(StopReason stopped) const {
    return {stopped, progress_.metrics.empty() ? std::nullopt : std::optional(progress_.metrics.back()),
            session_.images_per_second().value_or(0), folder_->path()};
  }

  bool is_complete() const { return progress_.epoch == static_cast<uint64_t>(options_.epochs); }

  // The checkpoint comes before the figures, which may take long: a process that is killed there loses nothing.
  StopReason epochs() {
    StopReason reason = StopReason::kNone;
    while (reason == StopReason::kNone && !is_complete()) {
      reason = steps_of_epoch();
      save();
      if (reason == StopReason::kNone) reason = measure_epoch();
    }
    return reason;
  }

  // The rest of the epoch under way. Leaves early only between steps.
  StopReason steps_of_epoch() {
    loader_.start_epoch(progress_.epoch, progress_.batch);
    while (true) {
      const auto begin = Clock::now();
      if (!loader_.next(batch_)) return StopReason::kNone;
      const double probe_seconds = step();
      const double seconds = seconds_since(begin) - probe_seconds;
      progress_.train_seconds += seconds;
      session_.add(seconds, probe_seconds, batch_.count);
      if (const auto fall = speed_.saw(batch_.count, seconds)) observer_.warning(fall->text(options_.engine.threads));
      report_batch();
      if (progress_.batch == loader_.batches_per_epoch()) continue;
      if (const StopReason reason = control_.stop(); reason != StopReason::kNone) return reason;
      if (options_.checkpoint_every > 0 && state_.step % static_cast<uint64_t>(options_.checkpoint_every) == 0) save();
    }
  }

  // Returns the seconds that went into a probe of the gradient.
  double step() {
    const BatchResult result = engine_->forward_backward(batch_);
    require_finite_loss(result.loss, state_.step + 1, progress_.epoch + 1, rate(state_.step), folder_->path());
    const double probe_seconds = probe();
    const double learning_rate = rate(state_.step);
    const StepReport report = optimizer_step(*rule_, state_, slots_, engine_->values(), engine_->gradients(),
                                             schedule_.factor(state_.step), engine_->executor());
    note_step(learning_rate, report);
    if (report.nonfinite > 0 && options_.on_nonfinite == OnNonFinite::kStop) {
      throw DivergedError(fmt::format(
          "{} coordinates have a gradient or a momentum that is NaN or infinite at step {}, the first in {}; lower "
          "--learning-rate, or skip such coordinates with --on-nonfinite skip",
          report.nonfinite, state_.step, engine_->network().parameters.at(report.first_nonfinite).name));
    }
    progress_.nonfinite += report.nonfinite;
    progress_.loss_sum += result.loss * static_cast<double>(batch_.count);
    progress_.correct += result.correct;
    progress_.images += batch_.count;
    ++progress_.batch;
    return probe_seconds;
  }

  // Between the gradient and its step: both gradients are of the same parameters.
  double probe() {
    const uint64_t number = state_.step + 1;
    if (!probe_ || number % static_cast<uint64_t>(options_.analyze_every) != 0) return 0;
    const auto begin = Clock::now();
    const GradientPair pair = probe_->measure(*engine_, batch_.count, number);
    const double seconds = seconds_since(begin);
    append_pair(progress_.course.probe, number, pair, seconds);
    return seconds;
  }

  // About 60 points an epoch, and every event.
  void note_step(double learning_rate, const StepReport& report) {
    const uint64_t every = std::max<uint64_t>(1, loader_.batches_per_epoch() / 60);
    if (progress_.batch % every == 0) append_point(progress_.course.curve, state_.step, learning_rate, report);
    if (const auto& event = report.switching.event) {
      progress_.course.events.push_back(event_record(*event));
      observer_.note(event->text());
    }
    progress_.course.phase = phase_name(report.phase);
  }

  // Of the step after so many.
  double rate(uint64_t steps) const { return rule_->learning_rate() * schedule_.factor(steps); }

  void report_batch() {
    observer_.batch({.epoch = progress_.epoch + 1,
                     .epochs = static_cast<uint64_t>(options_.epochs),
                     .batch = progress_.batch,
                     .batches = loader_.batches_per_epoch(),
                     .loss = progress_.loss_sum / static_cast<double>(progress_.images),
                     .accuracy = percent(progress_.correct, progress_.images),
                     .images_per_second = session_.images_per_second().value_or(0),
                     .seconds_left = session_.seconds_per_step() * static_cast<double>(total_steps_ - state_.step)});
  }

  // Ends the epoch with its figures; when stopped on the way, a resumed run measures again.
  StopReason measure_epoch() {
    StopReason reason = StopReason::kNone;
    const auto stop = [&] { return (reason = control_.stop()) != StopReason::kNone; };
    EpochFigures figures{.step = state_.step,
                         .learning_rate = rate(state_.step - 1),
                         .validation = {},
                         .test = {},
                         .images_per_second = session_.images_per_second()};
    if (validation_) {
      observer_.evaluating("validation");
      figures.validation = evaluate(*engine_, *validation_, stop);
      if (!figures.validation) return reason;
    }
    observer_.evaluating("test");
    const std::optional<Evaluation> test = evaluate(*engine_, *test_, stop);
    if (!test) return reason;
    figures.test = *test;
    progress_.metrics.push_back(epoch_record(progress_, figures, options_.optimizer.takes_sign()));
    ++progress_.epoch;
    progress_.batch = progress_.images = progress_.correct = 0;
    progress_.loss_sum = 0;
    progress_.course = {};
    folder_->append_metrics(progress_.metrics.back());
    save();
    observer_.epoch(progress_.metrics.back());
    return is_complete() ? StopReason::kNone : control_.stop();
  }

  void save() {
    save_checkpoint(folder_->checkpoint(state_.step), *engine_, *rule_, state_, progress_, identity_);
    folder_->prune_checkpoints();
  }

  TrainOptions options_;
  const TrainControl& control_;
  TrainObserver& observer_;
  Dataset data_;
  Split split_;
  Loader loader_;
  std::unique_ptr<Loader> test_, validation_;
  std::optional<GradientProbe> probe_;
  EngineChoice choice_;
  std::string threads_reason_;
  std::unique_ptr<Engine> engine_;
  uint64_t total_steps_;
  std::unique_ptr<UpdateRule> rule_;
  OptimizerState state_;
  Schedule schedule_;
  RunIdentity identity_;
  RunRecorder record_;
  std::optional<RunFolder> folder_;
  std::vector<TensorSlot> slots_;
  TrainProgress progress_;
  Batch batch_;
  SessionSpeed session_;
  SpeedWatch speed_;
};

}  // namespace

TrainResult train(TrainOptions options, const EngineTable& engines, const TrainControl& control,
                  TrainObserver& observer) {
  options = resolved(with_absolute_paths(std::move(options)));
  // What differs from machine to machine is fixed when a run starts, so that its record repeats it. No data set has
  // more than three channels, and classes do not matter to an engine.
  EngineChoice choice =
      choose_engine(engines, options.engine, make_network(options.network, 3, 10), /*recorded=*/control.resume);
  const bool threads_open = options.engine.threads == 0;
  options.engine = choice.options;
  return Run(std::move(options), std::move(choice), threads_open, control, observer).go();
}

}  // namespace signstep
