// SPDX-License-Identifier: Apache-2.0
#include "cli/progress.h"

#include <fmt/format.h>

namespace signstep::cli {

Progress::Progress(bool quiet)
    : quiet_(quiet), live_(!quiet, std::chrono::milliseconds(100), std::chrono::seconds(30)) {}

void Progress::update(size_t done, size_t total, const std::string& part, const std::string& phase) {
  if (phase != phase_) {
    phase_ = phase;
    phase_begin_ = LiveText::Clock::now();
  }
  if (quiet_ || !live_.due()) return;
  std::string text = part;
  if (total > 0) {
    const double share = static_cast<double>(done) / static_cast<double>(total);
    const double seconds = std::chrono::duration<double>(LiveText::Clock::now() - phase_begin_).count();
    const std::string left = done > 0 ? fmt::format("  {} left", clock_text(seconds / share - seconds)) : "";
    text = fmt::format("[{}] {}/{}{}  {}", bar(share, 20), done, total, left, part);
  }
  if (live_.draws())
    live_.draw(text);
  else
    live_.line(text);
}

}  // namespace signstep::cli
