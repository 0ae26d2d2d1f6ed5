// SPDX-License-Identifier: Apache-2.0
// What a person sees while a run goes on: a progress line on a terminal, plain lines when piped, and log.txt.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "signstep/train/trainer.h"

namespace spdlog {
class logger;
}

namespace signstep::cli {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

class Console final : public TrainObserver {
 public:
  // progress_json: progress goes to standard output as a JSON object a line, for programs, and all text to standard
  // error.
  Console(bool quiet, LogLevel level, bool progress_json = false);
  ~Console() override;

  void started(const std::string& run_folder, const RunRecord& run) override;
  void batch(const BatchProgress& progress) override;
  void evaluating(const char* split) override;
  void epoch(const EpochRecord& record) override;
  void note(const std::string& message) override;
  void warning(const std::string& message) override;

 private:
  using Clock = std::chrono::steady_clock;
  void draw(const std::string& line);
  void erase();

  const bool quiet_, terminal_, progress_json_;
  bool drawn_ = false;
  Clock::time_point last_draw_{}, last_line_ = Clock::now();
  std::shared_ptr<spdlog::logger> logger_;
};

// "1:23:45" or "4:05".
std::string clock_text(double seconds);

// A bar of that many characters, filled to the share in [0, 1].
std::string bar(double share, size_t width);

}  // namespace signstep::cli
