// SPDX-License-Identifier: Apache-2.0
#include "cli/progress.h"

#include <fmt/format.h>

#include "cli/console.h"
#include "cli/terminal.h"

namespace signstep::cli {
namespace {

constexpr auto kRedraw = std::chrono::milliseconds(100);
constexpr auto kPlainInterval = std::chrono::seconds(30);

}  // namespace

Progress::Progress(bool quiet) : quiet_(quiet), terminal_(can_draw()) {}
Progress::~Progress() { finish(); }

void Progress::update(size_t done, size_t total, const std::string& part, const std::string& phase) {
  const auto now = Clock::now();
  if (phase != phase_) {
    phase_ = phase;
    phase_begin_ = now;
  }
  if (quiet_ || (terminal_ ? drawn_ && now - last_ < kRedraw : now - last_ < kPlainInterval)) return;
  last_ = now;
  std::string text = part;
  if (total > 0) {
    const double share = static_cast<double>(done) / static_cast<double>(total);
    const double seconds = std::chrono::duration<double>(now - phase_begin_).count();
    text = fmt::format("[{}] {}/{}  {}", bar(share, 20), done, total, part);
    if (done > 0) text += fmt::format("  {} left", clock_text(seconds / share - seconds));
  }
  if (terminal_)
    put_over(text);
  else
    put(text + "\n");
  drawn_ = terminal_;
}

void Progress::finish() {
  if (drawn_) put_over("");
  drawn_ = false;
}

}  // namespace signstep::cli
