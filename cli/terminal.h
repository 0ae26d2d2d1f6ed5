// SPDX-License-Identifier: Apache-2.0
// What standard output can show of work under way: text that is drawn over itself on a terminal that understands
// escapes, a plain line now and then elsewhere. Who reports progress says what; when and how is decided here.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

namespace signstep::cli {

class LiveText {
 public:
  using Clock = std::chrono::steady_clock;

  // redraw: the shortest time between two drawings; plain: between two plain lines, the first of which comes that long
  // after the beginning. wanted: false where nothing is to be drawn, whatever standard output is.
  LiveText(bool wanted, Clock::duration redraw, Clock::duration plain);
  ~LiveText() { erase(); }
  LiveText(const LiveText&) = delete;
  LiveText& operator=(const LiveText&) = delete;

  bool draws() const { return draws_; }
  size_t columns() const;  // 80 where it is not known

  // Whether it is time to draw, or where nothing is drawn, to write a plain line; then the next time is counted from
  // now.
  bool due();
  // The next plain line is due as long from now as from the beginning.
  void restart() { last_ = Clock::now(); }

  // Text in the place of what was drawn before: a line, or lines that each end with a newline. Each is cut to the width
  // of the terminal, and lines that would not fit on it are left out. Only where draws().
  void draw(const std::string& text);
  void erase();
  void line(const std::string& text);  // that stays, in the place of what was drawn

 private:
  const bool draws_;
  const Clock::duration redraw_, plain_;
  bool drawn_ = false;
  size_t newlines_ = 0;  // in what is drawn
  Clock::time_point last_ = Clock::now();
};

// Written and flushed. A failure ends nothing here: training is worth more than its progress line, and main says at the
// end that standard output failed.
void put(const std::string& text);

// "1:23:45" or "4:05".
std::string clock_text(double seconds);

// A bar of that many characters, filled to the share in [0, 1].
std::string bar(double share, size_t width);

}  // namespace signstep::cli
