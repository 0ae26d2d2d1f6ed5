// SPDX-License-Identifier: Apache-2.0
#include "signstep/study/subprocess.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "signstep/core/error.h"

extern char** environ;

namespace signstep {

Subprocess::Subprocess(const std::vector<std::string>& command) : name_(fmt::format("{}", fmt::join(command, " "))) {
  int in[2], out[2];
  if (::pipe2(in, O_CLOEXEC) != 0 || ::pipe2(out, O_CLOEXEC) != 0) throw_errno("open a pipe to", name_, "close some files");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
  std::vector<char*> argv;
  for (const std::string& word : command) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  const int failed = ::posix_spawnp(&child_, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  ::close(in[0]);
  ::close(out[1]);
  to_ = in[1];
  from_ = out[0];
  if (failed != 0) {
    ::close(to_);
    ::close(from_);
    errno = failed;
    throw_errno("start", name_, "name another program");
  }
}

Subprocess::~Subprocess() {
  ::close(to_);
  ::close(from_);
  ::waitpid(child_, nullptr, 0);
}

void Subprocess::write_line(const std::string& line) {
  std::signal(SIGPIPE, SIG_IGN);  // a child that ended shows as a failed read below
  const std::string text = line + "\n";
  if (::write(to_, text.data(), text.size()) != static_cast<ssize_t>(text.size())) throw_errno("talk to", name_, "run it by hand to see why");
}

std::string Subprocess::read_line() {
  for (;;) {
    const size_t end = pending_.find('\n');
    if (end != std::string::npos) {
      std::string line = pending_.substr(0, end);
      pending_.erase(0, end + 1);
      return line;
    }
    char buffer[4096];
    const ssize_t got = ::read(from_, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) throw EnvironmentError(fmt::format("'{}' ended without an answer; run it by hand to see why", name_));
    pending_.append(buffer, static_cast<size_t>(got));
  }
}

}  // namespace signstep
