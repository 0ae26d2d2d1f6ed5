// SPDX-License-Identifier: Apache-2.0
#include "cli/console.h"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cmath>

#include "cli/terminal.h"
#include "signstep/base/error.h"

namespace signstep::cli {
namespace {

constexpr auto kRedraw = std::chrono::milliseconds(100);
constexpr auto kJsonInterval = std::chrono::milliseconds(500);
constexpr auto kPlainInterval = std::chrono::seconds(30);

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

std::string clock_text(double seconds) {
  const auto s = static_cast<int64_t>(std::llround(std::max(seconds, 0.0)));
  if (s >= 3600) return fmt::format("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
  return fmt::format("{}:{:02}", s / 60, s % 60);
}

std::string bar(double share, size_t width) {
  const auto filled = static_cast<size_t>(std::clamp(share, 0.0, 1.0) * static_cast<double>(width));
  return std::string(filled, '#') + std::string(width - filled, '.');
}

Console::Console(bool quiet, LogLevel level, bool progress_json)
    : quiet_(quiet), terminal_(can_draw() && !progress_json), progress_json_(progress_json) {
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

Console::~Console() { erase(); }

void Console::started(const std::string& run_folder, const RunRecord& run) {
  try {
    auto file = std::make_shared<spdlog::sinks::basic_file_sink_st>(run_folder + "/log.txt");
    file->set_pattern("%Y-%m-%d %H:%M:%S %l %v");
    logger_->sinks().push_back(file);
    logger_->flush_on(spdlog::level::info);
  } catch (const spdlog::spdlog_ex& e) {
    throw EnvironmentError(fmt::format("{}; check the run folder's permissions and the free space", e.what()));
  }
  const DataRecord& data = run.data;
  note(fmt::format("{} on {} ({}{} training, {} validation, {} test images)", run.optimizer, data.dataset,
                   data.official ? "official, " : "", data.train_images.value_or(0), data.validation_images.value_or(0),
                   data.test_images.value_or(0)));
  note(fmt::format("{}, width {}, {} parameters; engine {}", run.network.name, run.network.width,
                   run.network.parameters, run.engine));
  note(fmt::format("writing to {}", run_folder));
}

void Console::draw(const std::string& line) {
  put_over(line);
  drawn_ = true;
}

void Console::erase() {
  if (drawn_) put_over("");
  drawn_ = false;
}

void Console::batch(const BatchProgress& p) {
  const auto now = Clock::now();
  if (progress_json_) {
    if (now - last_draw_ < kJsonInterval && p.batch < p.batches) return;
    last_draw_ = now;
    put(fields_json(p).dump() + "\n");
    return;
  }
  const double share = static_cast<double>(p.batch) / static_cast<double>(p.batches);
  const std::string figures = fmt::format("loss {:.3f}  accuracy {:.1f} %  {:.0f} images/s  {} left", p.loss,
                                          p.accuracy, p.images_per_second, clock_text(p.seconds_left));
  if (terminal_ && !quiet_) {
    if (now - last_draw_ < kRedraw) return;
    last_draw_ = now;
    // The figures come first; the bar takes what room is left.
    const std::string text = fmt::format("epoch {}/{}  {}", p.epoch, p.epochs, figures);
    const size_t room = terminal_columns() > text.size() + 4 ? terminal_columns() - text.size() - 4 : 0;
    draw(room >= 6 ? fmt::format("[{}] {}", bar(share, std::min<size_t>(room, 30)), text) : text);
  } else if (now - last_line_ >= kPlainInterval) {
    last_line_ = now;
    note(fmt::format("epoch {}/{} {:3.0f} %  {}", p.epoch, p.epochs, 100 * share, figures));
  }
}

void Console::evaluating(const char* split) {
  if (terminal_ && !quiet_) draw(fmt::format("measuring accuracy on the {} images ...", split));
}

void Console::epoch(const EpochRecord& r) {
  const double speed = r.images_per_second;
  note(fmt::format("epoch {:3}  train loss {:.4f}  train {}  validation {}  test {}{}", r.epoch, r.train_loss,
                   accuracy_text(r.train_accuracy), accuracy_text(r.validation_accuracy),
                   accuracy_text(r.test_accuracy), std::isnan(speed) ? "" : fmt::format("  {:.0f} images/s", speed)));
  last_line_ = Clock::now();
}

void Console::note(const std::string& message) {
  erase();
  logger_->info(message);
}

void Console::warning(const std::string& message) {
  erase();
  logger_->warn("warning: {}", message);
}

}  // namespace signstep::cli
