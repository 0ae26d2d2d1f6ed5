// SPDX-License-Identifier: Apache-2.0
#include "signstep/report/gnuplot.h"

#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "signstep/base/error.h"

extern char** environ;

namespace signstep {
namespace {

constexpr const char* kMissing = "gnuplot is not installed; install it (Debian: gnuplot-nox) and make the report again";

// A file in memory: gnuplot's input, output and messages. Unlike pipes, none of the three can block the others.
class MemoryFile {
 public:
  explicit MemoryFile(std::string_view content = {}) : fd_(::memfd_create("signstep-gnuplot", MFD_CLOEXEC)) {
    if (fd_ < 0) throw_errno("create", "a file in memory", "free some memory");
    while (!content.empty()) {
      const ssize_t written = ::write(fd_, content.data(), content.size());
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) throw_errno("write", "a file in memory", "free some memory");
      content.remove_prefix(static_cast<size_t>(written));
    }
    ::lseek(fd_, 0, SEEK_SET);
  }
  ~MemoryFile() { ::close(fd_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  int descriptor() const { return fd_; }

  std::string content() const {
    std::string text;
    char buffer[1 << 16];
    ::lseek(fd_, 0, SEEK_SET);
    for (ssize_t got; (got = ::read(fd_, buffer, sizeof buffer)) > 0;) text.append(buffer, static_cast<size_t>(got));
    return text;
  }

 private:
  int fd_;
};

// The exit status of gnuplot, or -1 when it could not be started.
int run(const MemoryFile& in, const MemoryFile& out, const MemoryFile& messages) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in.descriptor(), STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out.descriptor(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, messages.descriptor(), STDERR_FILENO);
  char program[] = "gnuplot", defaults[] = "-d";
  char* argv[] = {program, defaults, nullptr};
  pid_t child = -1;
  const int failed = ::posix_spawnp(&child, program, &actions, nullptr, argv, environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) return -1;
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

void replace_all(std::string& text, std::string_view from, const std::string& to) {
  for (size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
}

// gnuplot gives every picture the same ids (gpPt0, gnuplot_canvas, ..., textbox), and every curve a tooltip with its
// id.
std::string with_own_ids(std::string svg, const std::string& prefix) {
  for (size_t at = 0; (at = svg.find("<title>gnuplot_plot_", at)) != std::string::npos;) {
    svg.erase(at, svg.find("</title>", at) + 8 - at);
  }
  replace_all(svg, "id='textbox'", "id='" + prefix + "-textbox'");
  for (const char quote : {'\'', '"'}) {
    replace_all(svg, fmt::format("id={}g", quote), fmt::format("id={}{}-g", quote, prefix));
    replace_all(svg, fmt::format("href={}#g", quote), fmt::format("href={}#{}-g", quote, prefix));
  }
  replace_all(svg, "url(#g", "url(#" + prefix + "-g");
  return svg;
}

}  // namespace

bool gnuplot_available() {
  const char* path = std::getenv("PATH");
  std::string_view rest = path == nullptr ? "" : path;
  while (!rest.empty()) {
    const std::string folder(rest.substr(0, rest.find(':')));
    if (::access((folder + "/gnuplot").c_str(), X_OK) == 0) return true;
    rest.remove_prefix(std::min(rest.size(), folder.size() + 1));
  }
  return false;
}

Drawing run_gnuplot(std::string_view script, const std::string& prefix) {
  if (!gnuplot_available()) return {.svg = "", .problem = kMissing};
  const MemoryFile in(script), out, messages;
  const int status = run(in, out, messages);
  const std::string svg = out.content();
  const size_t begin = svg.find("<svg"), end = svg.rfind("</svg>");
  if (status != 0 || begin == std::string::npos || end == std::string::npos) {
    std::string words = messages.content().substr(0, 500);
    while (!words.empty() && (words.back() == '\n' || words.back() == ' ')) words.pop_back();
    return {.svg = "",
            .problem = fmt::format("gnuplot made no picture: {}", words.empty() ? "it gave no reason" : words)};
  }
  return {.svg = with_own_ids(svg.substr(begin, end + 6 - begin), prefix) + "\n", .problem = ""};
}

std::string gnuplot_quoted(std::string_view text) {
  // Between single quotes nothing is substituted: neither `commands` nor @macros nor \escapes.
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') out += '\'';
    out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
  }
  return out + "'";
}

}  // namespace signstep
