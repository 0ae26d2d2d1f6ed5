// SPDX-License-Identifier: Apache-2.0
#include "cli/console.h"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cmath>

#include "signstep/base/error.h"

namespace signstep::cli {
namespace {

constexpr auto kJsonInterval = std::chrono::milliseconds(500);

spdlog::level::level_enum spdlog_level(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug: return spdlog::level::debug;
    case LogLevel::kInfo: return spdlog::level::info;
    case LogLevel::kWarning: return spdlog::level::warn;
    case LogLevel::kError: return spdlog::level::err;
  }
  return spdlog::level::info;
}

// "91.23 %", or "-" for a split that is not there.
std::string accuracy_text(double value) { return std::isnan(value) ? "-" : fmt::format("{:.2f} %", value); }

}  // namespace

Console::Console(bool quiet, LogLevel level, bool progress_json)
    : progress_json_(progress_json),
      live_(!quiet && !progress_json, std::chrono::milliseconds(100), std::chrono::seconds(30)) {
  spdlog::sink_ptr sink;
  if (progress_json)
    sink = std::make_shared<spdlog::sinks::stderr_sink_st>();
  else
    sink = std::make_shared<spdlog::sinks::stdout_sink_st>();
  sink->set_pattern("%v");
  if (quiet) sink->set_level(spdlog::level::warn);
  logger_ = std::make_shared<spdlog::logger>("signstep", sink);
  logger_->set_level(spdlog_level(level));
}

void Console::started(const std::string& run_folder, const RunRecord& run) {
  try {
    auto file = std::make_shared<spdlog::sinks::basic_file_sink_st>(run_folder + "/log.txt");
    file->set_pattern("%Y-%m-%d %H:%M:%S %l %v");
    logger_->sinks().push_back(file);
    file_ = file;
    logger_->flush_on(spdlog::level::info);
  } catch (const spdlog::spdlog_ex& e) {
    throw EnvironmentError(fmt::format("{}; check the run folder's permissions and the free space", e.what()));
  }
  const DataRecord& data = run.data;
  note(fmt::format("{} on {} ({}{} training, {} validation, {} test images)", run.optimizer, data.dataset,
                   data.official ? "official, " : "", data.train_images.value_or(0), data.validation_images.value_or(0),
                   data.test_images.value_or(0)));
  const auto workers = run.options.value("workers", int64_t{1});
  note(fmt::format("{}, width {}, {} parameters; engine {}{}", run.network.name, run.network.width,
                   run.network.parameters, run.engine, workers > 1 ? fmt::format("; {} workers", workers) : ""));
  note(fmt::format("writing to {}", run_folder));
}

void Console::batch(const BatchProgress& p) {
  if (progress_json_) {
    const auto now = LiveText::Clock::now();
    if (now - last_json_ < kJsonInterval && p.batch < p.batches) return;
    last_json_ = now;
    put(fields_json(p).dump() + "\n");
    return;
  }
  if (!live_.due()) return;
  const double share = static_cast<double>(p.batch) / static_cast<double>(p.batches);
  const std::string figures = fmt::format("loss {:.3f}  accuracy {:.1f} %  {:.0f} images/s  {} left", p.loss,
                                          p.accuracy, p.images_per_second, clock_text(p.seconds_left));
  if (live_.draws()) {
    // The figures come first; the bar takes what room is left.
    const std::string text = fmt::format("epoch {}/{}  {}", p.epoch, p.epochs, figures);
    const size_t room = live_.columns() > text.size() + 4 ? live_.columns() - text.size() - 4 : 0;
    live_.draw(room >= 6 ? fmt::format("[{}] {}", bar(share, std::min<size_t>(room, 30)), text) : text);
  } else {
    note(fmt::format("epoch {}/{} {:3.0f} %  {}", p.epoch, p.epochs, 100 * share, figures));
  }
}

void Console::evaluating(const char* split) {
  if (live_.draws()) live_.draw(fmt::format("measuring accuracy on the {} images ...", split));
}

void Console::epoch(const EpochRecord& r) {
  const double speed = r.images_per_second;
  note(fmt::format("epoch {:3}  train loss {:.4f}  train {}  validation {}  test {}{}", r.epoch, r.train_loss,
                   accuracy_text(r.train_accuracy), accuracy_text(r.validation_accuracy),
                   accuracy_text(r.test_accuracy), std::isnan(speed) ? "" : fmt::format("  {:.0f} images/s", speed)));
  live_.restart();
}

void Console::note(const std::string& message) {
  live_.erase();
  logger_->info(message);
}

void Console::warning(const std::string& message) {
  live_.erase();
  logger_->warn("warning: {}", message);
}

void Console::failed(const std::string& why) {
  live_.erase();
  if (file_ == nullptr) return;
  file_->log(spdlog::details::log_msg(logger_->name(), spdlog::level::err, why));
  file_->flush();
}

}  // namespace signstep::cli
