// SPDX-License-Identifier: Apache-2.0
#include "signstep/base/pipe.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <ctime>

namespace signstep {
namespace {

// Above the standard ones, which may be closed: a child's end must not lie where another end of it goes.
void raise_descriptor(int& fd) {
  if (fd < 0 || fd > STDERR_FILENO) return;
  const int higher = ::fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
  ::close(std::exchange(fd, higher));
}

}  // namespace

Pipe::Pipe() {
  if (::pipe2(ends_, O_CLOEXEC) != 0) ends_[0] = ends_[1] = -1;
  for (int& end : ends_) raise_descriptor(end);
}

Pipe::~Pipe() {
  for (const int end : ends_)
    if (end >= 0) ::close(end);
}

ssize_t write_quietly(int to, std::string_view bytes) {
  sigset_t pipe, pending, before;
  ::sigemptyset(&pipe);
  ::sigaddset(&pipe, SIGPIPE);
  ::sigpending(&pending);
  ::pthread_sigmask(SIG_BLOCK, &pipe, &before);
  const ssize_t written = ::write(to, bytes.data(), bytes.size());
  const int code = errno;
  if (written < 0 && code == EPIPE && !::sigismember(&pending, SIGPIPE)) {
    const timespec at_once{};
    while (::sigtimedwait(&pipe, nullptr, &at_once) < 0 && errno == EINTR) {
    }
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = code;
  return written;
}

bool read_some(int from, std::string& text) {
  char buffer[1 << 14];
  ssize_t got = 0;
  while ((got = ::read(from, buffer, sizeof buffer)) < 0 && errno == EINTR) {
  }
  if (got > 0) text.append(buffer, static_cast<size_t>(got));
  return got > 0;
}

}  // namespace signstep
