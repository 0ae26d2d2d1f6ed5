// SPDX-License-Identifier: Apache-2.0
#include "cli/overview.h"

#include <algorithm>

#include "signstep/base/error.h"

namespace signstep::cli {
namespace {

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

// The block: counts, a bar, two lines for each running run.
std::string block_text(const std::string& title, const Overview& o) {
  std::string text = fmt::format("{}: {}\n", title, counts_text(o));
  text += fmt::format("[{}] {:3.0f} %  {} so far, {}\n", bar(share_of(o), 30), 100 * share_of(o), clock_text(o.seconds),
                      left_text(o.seconds_left));
  for (const RunProgress& p : o.running) {
    text += fmt::format("  {} {}\n         [{}] {:3.0f} %  {}\n", p.tuning ? "tune  " : "report", p.name,
                        bar(p.share, 20), 100 * p.share, p.figures.empty() ? "starting" : p.figures);
  }
  return text;
}

}  // namespace

OverviewConsole::OverviewConsole(std::string title, bool quiet)
    : title_(std::move(title)), quiet_(quiet), live_(!quiet, std::chrono::milliseconds(400), std::chrono::minutes(5)) {}

void OverviewConsole::overview(const Overview& o) {
  if (quiet_ || !live_.due()) return;
  if (live_.draws())
    live_.draw(block_text(title_, o));
  else
    live_.line(fmt::format("{}; {}", counts_text(o), left_text(o.seconds_left)));
}

void OverviewConsole::line(const std::string& message) {
  if (!quiet_) live_.line(message);
}

}  // namespace signstep::cli
