// SPDX-License-Identifier: Apache-2.0
// A terminal of a given kind and size for a child process, and all that was written to it.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>

namespace signstep {

// A bare chroot has no /dev/pts.
inline bool terminals_here() {
  const int probe = ::posix_openpt(O_RDWR | O_NOCTTY);
  if (probe >= 0) ::close(probe);
  return probe >= 0;
}

// The child's standard streams are the terminal; it ends with 0 after work, or by exec.
inline std::string on_terminal(const char* kind, unsigned short columns, unsigned short rows,
                               const std::function<void()>& work) {
  winsize size{.ws_row = rows, .ws_col = columns, .ws_xpixel = 0, .ws_ypixel = 0};
  int terminal = -1;
  std::fflush(nullptr);  // or the child writes it again
  const pid_t child = ::forkpty(&terminal, nullptr, nullptr, &size);
  if (child == 0) {
    ::setenv("TERM", kind, 1);
    work();
    ::_exit(0);
  }
  std::string text;
  char buffer[4096];
  for (ssize_t n; (n = ::read(terminal, buffer, sizeof buffer)) > 0;) text.append(buffer, static_cast<size_t>(n));
  int status = 0;
  ::waitpid(child, &status, 0);
  ::close(terminal);
  EXPECT_EQ(status, 0) << text;
  return text;
}

}  // namespace signstep
