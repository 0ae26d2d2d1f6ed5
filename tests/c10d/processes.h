// SPDX-License-Identifier: Apache-2.0
// Ranks as forked processes on loopback, for tests.
#pragma once

#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <exception>
#include <functional>
#include <string>
#include <vector>

#include "signstep/base/error.h"

namespace signstep {

// A port that is free now.
inline uint16_t free_port() {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  if (::bind(socket, reinterpret_cast<sockaddr*>(&address), length) != 0 ||
      ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &length) != 0)
    throw_errno("find", "a free port", "allow sockets on loopback");
  ::close(socket);
  return ntohs(address.sin_port);
}

// One process, from fork to its end. What work returns, or throws as an Error, is text().
class Process {
 public:
  explicit Process(const std::function<std::string()>& work) {
    int ends[2];
    if (::pipe(ends) != 0) throw_errno("make", "a pipe", "close some files");
    id_ = ::fork();
    if (id_ == 0) {
      ::close(ends[0]);
      std::string text;
      try {
        text = work();
      } catch (const Error& e) {
        text = std::string("error: ") + e.what();
      } catch (const std::exception& e) {
        text = std::string("unknown error: ") + e.what();
      }
      _exit(::write(ends[1], text.data(), text.size()) == static_cast<ssize_t>(text.size()) ? 0 : 1);
    }
    ::close(ends[1]);
    pipe_ = ends[0];
  }
  ~Process() {
    kill(SIGKILL);
    text();
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  // Waits for the process to stop itself by SIGSTOP.
  void wait_until_stopped() {
    int status = 0;
    ::waitpid(id_, &status, WUNTRACED);
  }
  void kill(int signal) {
    if (!ended_) ::kill(id_, signal);
  }
  // Waits for its end.
  std::string text() {
    if (ended_) return text_;
    char buffer[4096];
    for (ssize_t n; (n = ::read(pipe_, buffer, sizeof buffer)) > 0;) text_.append(buffer, static_cast<size_t>(n));
    ::close(pipe_);
    int status = 0;
    ::waitpid(id_, &status, 0);
    ended_ = true;
    if (WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL)
      text_ += "ended by signal " + std::to_string(WTERMSIG(status));
    return text_;
  }

 private:
  pid_t id_ = 0;
  int pipe_ = -1;
  bool ended_ = false;
  std::string text_;
};

}  // namespace signstep
