// SPDX-License-Identifier: Apache-2.0
#include "signstep/train/trainer.h"

#include <chrono>
#include <cmath>
#include <filesystem>
#include <optional>
#include <utility>

#include "signstep/core/error.h"
#include "signstep/data/split.h"
#include "signstep/io/config.h"
#include "signstep/io/json_lines.h"
#include "signstep/train/checkpoint.h"
#include "signstep/train/curve.h"
#include "signstep/train/gradient_probe.h"
#include "signstep/train/run_folder.h"
#include "signstep/train/run_record.h"
#include "signstep/train/speed_watch.h"
#include "signstep/train/thread_choice.h"

namespace signstep {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

double percent(uint64_t part, uint64_t whole) {
  return whole == 0 ? 0.0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole);
}

class Run {
 public:
  // threads_open: how many is left to the machine.
  Run(TrainOptions options, bool threads_open, const TrainControl& control, TrainObserver& observer)
      : options_(std::move(options)),
        control_(control),
        observer_(observer),
        data_(load_dataset(options_.dataset, options_.data, options_.labels)),
        split_(make_split(data_.train.count(), static_cast<size_t>(options_.validation))),
        loader_(data_.train, split_.train, normalization(options_.dataset), batches()),
        test_(evaluation_loader(data_.test, {}, options_)),
        threads_reason_(threads_open ? fit_threads() : ""),
        engine_(first_engine()),
        total_steps_(static_cast<uint64_t>(options_.epochs) * loader_.batches_per_epoch()),
        plan_(make_update_plan(options_.optimizer, options_.dither, options_.switching, options_.seed, total_steps_)),
        state_(make_state(plan_, engine_->shape().parameter_elements, engine_->shape().parameters.size())),
        schedule_(options_.schedule, total_steps_),
        folder_(options_.output),
        record_(options_, data_, *engine_, split_.train.size()) {
    if (!split_.validation.empty()) validation_ = evaluation_loader(data_.train, split_.validation, options_);
    if (options_.analyze_every > 0) probe_.emplace(data_.train, split_.train, normalization(options_.dataset), batches());
    for (const TensorInfo& t : engine_->shape().parameters) slots_.push_back({t.offset, t.size});
    config_ = to_json(option_list(options_));
  }

  // engine_reason: why the fast engine was passed over, if it was.
  TrainResult go(const std::string& engine_reason) {
    start();
    if (!engine_reason.empty()) observer_.note(fmt::format("engine torch, because {}", engine_reason));
    if (!threads_reason_.empty()) observer_.note(threads_reason_);
    try {
      const StopReason stopped = epochs();
      record_.finish(folder_.run_json(), stopped == StopReason::kNone ? "finished" : "stopped", progress_.metrics);
      return {stopped, progress_.metrics.empty() ? nlohmann::ordered_json() : progress_.metrics.back(),
              session_rate(), folder_.path()};
    } catch (const DivergedError& e) {
      record_.finish(folder_.run_json(), "diverged", progress_.metrics);
      observer_.warning(e.what());
      throw;
    } catch (const Error&) {
      try {
        record_.finish(folder_.run_json(), "failed", progress_.metrics);
      } catch (const EnvironmentError&) {
        // The disk that refused the checkpoint refuses this too; the first error is the one to tell.
      }
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

  // Why fewer than all cores, if so.
  std::string fit_threads() {
    if (options_.engine.torch.device != Device::kCpu) return "";
    const ImageSet& images = data_.train;
    const ThreadChoice choice = choose_threads(
        options_.engine, options_.network,
        {images.channels, framed_side(images.height), framed_side(images.width), images.classes}, static_cast<size_t>(options_.batch));
    const int64_t most = std::exchange(options_.engine.torch.threads, choice.threads);
    return choice.reason(most);
  }

  // With its first weights, so that a bad --init is found before anything is written.
  std::unique_ptr<Engine> first_engine() const {
    auto engine = make_engine(options_.engine, resnet18_shape(options_.network, data_.train.channels, data_.train.classes));
    initialize(engine->shape(), options_.seed, engine->values(), engine->buffers());
    if (!control_.init.empty()) load_weights(control_.init, *engine);
    return engine;
  }

  void start() {
    if (!control_.resume && folder_.holds_a_run()) {
      throw OptionError(fmt::format("{} holds a run already; continue it with --resume, or choose another --output", folder_.path()));
    }
    if (control_.resume) record_.continues(folder_.run_json());
    observer_.started(folder_.path(), record_.json());
    if (control_.resume) restore();
    write_json_lines(folder_.metrics(), progress_.metrics);
    write_file_atomic(folder_.config(), to_toml(option_list(options_), "Written by signstep. Repeat this run: signstep train --config THIS --output NEW"));
    record_.start(folder_.run_json());
  }

  // Takes the newest intact checkpoint; without any, the run starts again from its seed.
  void restore() {
    const std::vector<std::string> all = list_checkpoints(folder_.path());
    std::string reasons;
    for (const std::string& path : all) {
      try {
        load_checkpoint(path, plan_, *engine_, state_, progress_);
        observer_.note(fmt::format("resumed from {} at step {} of {}", path, state_.step, total_steps_));
        return;
      } catch (const CheckpointError& e) {
        observer_.warning(e.what());
        reasons += fmt::format("\n  {}", e.what());
      }
    }
    if (!all.empty()) throw CheckpointError(fmt::format("no checkpoint of {} can be used:{}", folder_.path(), reasons));
    observer_.note("no checkpoint yet: starting from the first step");
  }

  StopReason epochs() {
    while (progress_.epoch < static_cast<uint64_t>(options_.epochs)) {
      const StopReason reason = one_epoch();
      if (reason != StopReason::kNone) {
        save();
        return reason;
      }
    }
    return StopReason::kNone;
  }

  // The rest of the epoch under way. Leaves early only between steps.
  StopReason one_epoch() {
    loader_.start_epoch(progress_.epoch, progress_.batch);
    while (true) {
      const auto begin = Clock::now();
      if (!loader_.next(batch_)) break;
      const double probe_seconds = step();
      const double seconds = seconds_since(begin) - probe_seconds;
      session_probe_seconds_ += probe_seconds;
      progress_.train_seconds += seconds;
      session_seconds_ += seconds;
      session_images_ += batch_.count;
      if (const auto fall = speed_.saw(batch_.count, seconds)) observer_.warning(fall->text(options_.engine.torch.threads));
      report_batch();
      const bool last = progress_.batch == loader_.batches_per_epoch();
      const StopReason reason = last ? StopReason::kNone : control_.stop();
      if (reason != StopReason::kNone) return reason;
      if (!last && options_.checkpoint_every > 0 && state_.step % static_cast<uint64_t>(options_.checkpoint_every) == 0) save();
    }
    finish_epoch();
    return progress_.epoch < static_cast<uint64_t>(options_.epochs) ? control_.stop() : StopReason::kNone;
  }

  // Returns the seconds that went into a probe of the gradient.
  double step() {
    const BatchResult result = engine_->forward_backward(batch_);
    if (!std::isfinite(result.loss)) {
      throw DivergedError(fmt::format(
          "the loss is not finite at step {} (epoch {}, learning rate {:.3g}); lower --learning-rate or add --warmup and "
          "train into another --output; {}",
          state_.step + 1, progress_.epoch + 1, rate(),
          list_checkpoints(folder_.path()).empty() ? "there was no checkpoint yet"
                                                   : "the last checkpoint of " + folder_.path() + " is intact"));
    }
    const double probe_seconds = probe();
    const double learning_rate = rate();
    const StepReport report = optimizer_step(plan_, state_, slots_, engine_->values(), engine_->gradients(),
                                             schedule_.factor(state_.step), engine_->executor());
    note_step(learning_rate, report);
    if (report.nonfinite > 0 && options_.on_nonfinite == OnNonFinite::kStop) {
      throw DivergedError(fmt::format(
          "{} gradients are NaN or infinite at step {}, the first in {}; lower --learning-rate, or skip such coordinates "
          "with --on-nonfinite skip", report.nonfinite, state_.step, first_nonfinite()));
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
    append_pair(progress_.curve["probe"], number, pair, seconds);
    return seconds;
  }

  // About 60 points an epoch, and every event.
  void note_step(double learning_rate, const StepReport& report) {
    const uint64_t every = std::max<uint64_t>(1, loader_.batches_per_epoch() / 60);
    if (progress_.batch % every == 0) append_point(progress_.curve["curve"], state_.step, learning_rate, report);
    if (const auto& event = report.switching.event) {
      progress_.curve["events"].push_back(event_json(*event));
      observer_.note(event->text());
    }
    progress_.curve["phase"] = phase_name(report.phase);
  }

  double rate() const { return *options_.optimizer.learning_rate * schedule_.factor(state_.step); }

  std::string first_nonfinite() const {
    for (const TensorInfo& t : engine_->shape().parameters)
      for (const float g : engine_->gradients().subspan(t.offset, t.size))
        if (!std::isfinite(g)) return t.name;
    return "no tensor";
  }

  double session_rate() const { return session_seconds_ > 0 ? static_cast<double>(session_images_) / session_seconds_ : 0; }

  void report_batch() {
    const double per_step = (session_seconds_ + session_probe_seconds_) / static_cast<double>(++session_steps_);
    observer_.batch({.epoch = progress_.epoch + 1,
                     .epochs = static_cast<uint64_t>(options_.epochs),
                     .batch = progress_.batch,
                     .batches = loader_.batches_per_epoch(),
                     .loss = progress_.loss_sum / static_cast<double>(progress_.images),
                     .accuracy = percent(progress_.correct, progress_.images),
                     .images_per_second = session_rate(),
                     .seconds_left = per_step * static_cast<double>(total_steps_ - state_.step)});
  }

  void finish_epoch() {
    nlohmann::ordered_json r;
    r["epoch"] = ++progress_.epoch;
    r["step"] = state_.step;
    r["learning_rate"] = *options_.optimizer.learning_rate * schedule_.factor(state_.step - 1);
    r["train_loss"] = progress_.loss_sum / static_cast<double>(progress_.images);
    r["train_accuracy"] = percent(progress_.correct, progress_.images);
    r["validation_loss"] = nullptr;
    r["validation_accuracy"] = nullptr;
    if (validation_) {
      observer_.evaluating("validation");
      const Evaluation e = evaluate(*engine_, *validation_);
      r["validation_loss"] = e.loss;
      r["validation_accuracy"] = e.accuracy;
    }
    observer_.evaluating("test");
    const Evaluation e = evaluate(*engine_, *test_);
    r["test_loss"] = e.loss;
    r["test_accuracy"] = e.accuracy;
    r["nonfinite"] = progress_.nonfinite;
    const bool sign_rule = is_sign_rule(options_.optimizer.optimizer);
    for (const auto& [key, value] : progress_.curve.items())
      if (key != "phase" || sign_rule) r[key] = key == "curve" ? without_silent(value) : value;
    r["train_seconds"] = progress_.train_seconds;
    r["images_per_second"] = session_rate();
    progress_.metrics.push_back(r);
    progress_.batch = progress_.images = progress_.correct = 0;
    progress_.loss_sum = 0;
    progress_.curve = nlohmann::ordered_json::object();
    append_json_line(folder_.metrics(), r);
    save();
    observer_.epoch(r);
  }

  void save() {
    save_checkpoint(folder_.checkpoint(state_.step), *engine_, state_, progress_, config_);
    folder_.prune_checkpoints();
  }

  TrainOptions options_;
  const TrainControl& control_;
  TrainObserver& observer_;
  Dataset data_;
  Split split_;
  Loader loader_;
  std::unique_ptr<Loader> test_, validation_;
  std::optional<GradientProbe> probe_;
  std::string threads_reason_;
  std::unique_ptr<Engine> engine_;
  uint64_t total_steps_;
  UpdatePlan plan_;
  OptimizerState state_;
  Schedule schedule_;
  RunFolder folder_;
  RunRecord record_;
  nlohmann::ordered_json config_;
  std::vector<TensorSlot> slots_;
  TrainProgress progress_;
  Batch batch_;
  double session_seconds_ = 0, session_probe_seconds_ = 0;
  uint64_t session_images_ = 0, session_steps_ = 0;
  SpeedWatch speed_;
};

}  // namespace

TrainResult train(TrainOptions options, const TrainControl& control, TrainObserver& observer) {
  options = resolved(std::move(options));
  // What differs from machine to machine is fixed when a run starts, so that its record repeats it.
  const EngineChoice choice = choose_engine(options.engine, options.network);
  const bool threads_open = options.engine.torch.threads == 0;
  options.engine = choice.options;
  return Run(std::move(options), threads_open, control, observer).go(choice.reason);
}

}  // namespace signstep
