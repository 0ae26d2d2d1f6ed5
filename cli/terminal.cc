// SPDX-License-Identifier: Apache-2.0
#include "cli/terminal.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace signstep::cli {
namespace {

// A terminal that understands escapes.
bool can_draw() {
  const char* kind = std::getenv("TERM");
  return isatty(STDOUT_FILENO) == 1 && kind != nullptr && *kind != '\0' && std::string_view(kind) != "dumb";
}

winsize screen() {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) size = {};
  if (size.ws_col == 0) size.ws_col = 80;
  if (size.ws_row <= 1) size.ws_row = 24;
  return size;
}

// At most so many bytes; a UTF-8 character that the cut would split goes whole.
std::string cut(std::string_view text, size_t bytes) {
  size_t end = std::min(text.size(), bytes);
  while (end > 0 && end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return std::string(text.substr(0, end));
}

// No line wider than the screen, and no block higher, which could not be drawn over.
std::string fitted(std::string_view text, const winsize& size) {
  std::string out;
  for (int row = 1; row < size.ws_row && !text.empty(); ++row) {
    const size_t end = text.find('\n');
    out += cut(text.substr(0, end), size.ws_col - 1u);
    if (end == std::string_view::npos) break;
    out += '\n';
    text.remove_prefix(end + 1);
  }
  return out;
}

}  // namespace

LiveText::LiveText(bool wanted, Clock::duration redraw, Clock::duration plain)
    : draws_(wanted && can_draw()), redraw_(redraw), plain_(plain) {}

size_t LiveText::columns() const { return screen().ws_col; }

bool LiveText::due() {
  const auto now = Clock::now();
  if (draws_ ? drawn_ && now - last_ < redraw_ : now - last_ < plain_) return false;
  last_ = now;
  return true;
}

void LiveText::draw(const std::string& text) {
  const std::string shown = fitted(text, screen());
  const std::string back = newlines_ > 0 ? fmt::format("\x1b[{}A\r\x1b[J", newlines_) : "\r\x1b[K";
  newlines_ = static_cast<size_t>(std::count(shown.begin(), shown.end(), '\n'));
  drawn_ = !shown.empty();
  put(back + shown);
}

void LiveText::erase() {
  if (drawn_) draw("");
}

void LiveText::line(const std::string& text) {
  erase();
  put(text + "\n");
  restart();
}

void put(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

std::string clock_text(double seconds) {
  const auto s = static_cast<int64_t>(std::llround(std::max(seconds, 0.0)));
  if (s >= 3600) return fmt::format("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
  return fmt::format("{}:{:02}", s / 60, s % 60);
}

std::string bar(double share, size_t width) {
  const auto filled = static_cast<size_t>(std::clamp(share, 0.0, 1.0) * static_cast<double>(width));
  return std::string(filled, '#') + std::string(width - filled, '.');
}

}  // namespace signstep::cli
