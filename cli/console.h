// SPDX-License-Identifier: Apache-2.0
// What a person sees while a run goes on: a progress line on a terminal, plain lines when piped, and log.txt.
#pragma once

#include <memory>
#include <string>

#include "cli/terminal.h"
#include "signstep/train/trainer.h"

namespace spdlog {
class logger;
namespace sinks {
class sink;
}
}  // namespace spdlog

namespace signstep::cli {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

class Console final : public TrainObserver {
 public:
  // progress_json: progress goes to standard output as a JSON object a line, for programs, and all text to standard
  // error.
  Console(bool quiet, LogLevel level, bool progress_json = false);

  void started(const std::string& run_folder, const RunRecord& run) override;
  void batch(const BatchProgress& progress) override;
  void evaluating(const char* split) override;
  void epoch(const EpochRecord& record) override;
  void note(const std::string& message) override;
  void warning(const std::string& message) override;
  void failed(const std::string& why) override;  // into log.txt: the terminal hears it from main()

 private:
  const bool progress_json_;
  LiveText live_;
  LiveText::Clock::time_point last_json_{};
  std::shared_ptr<spdlog::logger> logger_;
  std::shared_ptr<spdlog::sinks::sink> file_;  // log.txt, once there is one
};

}  // namespace signstep::cli
