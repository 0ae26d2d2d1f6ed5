// SPDX-License-Identifier: Apache-2.0
#include "cli/overview.h"

#include <sys/ioctl.h>

#include <algorithm>

#include "cli/console.h"
#include "cli/terminal.h"
#include "signstep/base/error.h"

namespace signstep::cli {
namespace {

constexpr auto kRedraw = std::chrono::milliseconds(400);
constexpr auto kPlainInterval = std::chrono::minutes(5);

std::string counts_text(const Overview& o) {
  const size_t settled = o.done + o.failed + o.running.size();
  std::string text = fmt::format("{} of {} runs done, {} running, {} left", o.done, o.planned, o.running.size(),
                                 o.planned - std::min(o.planned, settled));
  if (o.failed > 0) text += fmt::format(", {} FAILED", o.failed);
  if (o.elsewhere > 0) text += fmt::format(", {} in use elsewhere", o.elsewhere);
  return text;
}

// Done runs count whole, running ones by their share.
double share_of(const Overview& o) {
  double done = static_cast<double>(o.done);
  for (const RunProgress& p : o.running) done += p.share;
  return o.planned == 0 ? 1 : done / static_cast<double>(o.planned);
}

std::string left_text(double seconds) {
  return seconds < 0 ? "time left not known yet" : fmt::format("about {} left", clock_text(seconds));
}

}  // namespace

std::string overview_text(const std::string& title, const Overview& o, size_t columns) {
  std::string text = cut(fmt::format("{}: {}", title, counts_text(o)), columns - 1) + "\n";
  text += cut(fmt::format("[{}] {:3.0f} %  {} so far, {}", bar(share_of(o), 30), 100 * share_of(o),
                          clock_text(o.seconds), left_text(o.seconds_left)),
              columns - 1) +
          "\n";
  for (const RunProgress& p : o.running) {
    text += cut(fmt::format("  {} {}", p.tuning ? "tune  " : "report", p.name), columns - 1) + "\n";
    text += cut(fmt::format("         [{}] {:3.0f} %  {}", bar(p.share, 20), 100 * p.share,
                            p.figures.empty() ? "starting" : p.figures),
                columns - 1) +
            "\n";
  }
  return text;
}

OverviewConsole::OverviewConsole(std::string title, bool quiet)
    : title_(std::move(title)), quiet_(quiet), terminal_(can_draw()) {}

OverviewConsole::~OverviewConsole() { erase(); }

void OverviewConsole::erase() {
  if (drawn_lines_ == 0) return;
  put(fmt::format("\x1b[{}A\r\x1b[J", drawn_lines_));
  drawn_lines_ = 0;
}

void OverviewConsole::overview(const Overview& o) {
  const auto now = Clock::now();
  if (quiet_) return;
  if (!terminal_) {
    if (now - last_line_ < kPlainInterval) return;
    line(fmt::format("{}; {}", counts_text(o), left_text(o.seconds_left)));
    return;
  }
  if (now - last_draw_ < kRedraw) return;
  last_draw_ = now;
  winsize size{};
  const bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  std::string text = overview_text(title_, o, known ? size.ws_col : 80);
  const size_t rows = known && size.ws_row > 1 ? size.ws_row : 24;
  // A block higher than the screen could not be drawn over.
  auto lines = static_cast<size_t>(std::count(text.begin(), text.end(), '\n'));
  for (; lines >= rows; --lines) text.erase(text.rfind('\n', text.size() - 2) + 1);
  erase();
  put(text);
  drawn_lines_ = lines;
}

void OverviewConsole::line(const std::string& message) {
  if (quiet_) return;
  erase();
  put(message + "\n");
  last_line_ = Clock::now();
  last_draw_ = {};
}

}  // namespace signstep::cli
