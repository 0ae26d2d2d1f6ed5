// SPDX-License-Identifier: Apache-2.0
#include "signstep/study/subprocess.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "signstep/core/error.h"

namespace signstep {
namespace {

// In the child, after fork: only what is safe there. Tells the parent by the pipe why the program did not start.
[[noreturn]] void become(char** argv, int in, int out, bool join_errors, pid_t parent, int report) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);  // it died before the line above
  ::dup2(in, STDIN_FILENO);
  ::dup2(out, STDOUT_FILENO);
  if (join_errors) ::dup2(out, STDERR_FILENO);
  ::execvp(argv[0], argv);
  const int code = errno;
  [[maybe_unused]] const ssize_t told = ::write(report, &code, sizeof code);
  ::_exit(127);
}

}  // namespace

Subprocess::Subprocess(const std::vector<std::string>& command, Errors errors)
    : name_(fmt::format("{}", fmt::join(command, " "))) {
  int in[2], out[2], report[2];
  if (::pipe2(in, O_CLOEXEC) != 0 || ::pipe2(out, O_CLOEXEC) != 0 || ::pipe2(report, O_CLOEXEC) != 0) {
    throw_errno("open a pipe to", name_, "close some files");
  }
  std::vector<char*> argv;
  for (const std::string& word : command) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  const pid_t parent = ::getpid();
  child_ = ::fork();
  if (child_ == 0) become(argv.data(), in[0], out[1], errors == Errors::kJoin, parent, report[1]);
  int failed = child_ < 0 ? errno : 0;
  ::close(in[0]);
  ::close(out[1]);
  ::close(report[1]);
  to_ = in[1];
  from_ = out[0];
  int code = 0;
  ssize_t got = 0;
  while (failed == 0 && (got = ::read(report[0], &code, sizeof code)) < 0 && errno == EINTR) {
  }
  if (got == sizeof code) failed = code;
  ::close(report[0]);
  if (failed != 0) {
    ::close(to_);
    ::close(from_);
    if (child_ > 0) ::waitpid(child_, nullptr, 0);
    errno = failed;
    throw_errno("start", name_, "name another program");
  }
}

Subprocess::~Subprocess() {
  ::close(to_);
  ::close(from_);
  if (child_ > 0) ::waitpid(child_, nullptr, 0);
}

void Subprocess::write_line(const std::string& line) {
  std::signal(SIGPIPE, SIG_IGN);  // a child that ended shows as a failed read below
  const std::string text = line + "\n";
  if (::write(to_, text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    throw_errno("talk to", name_, "run it by hand to see why");
}

bool Subprocess::take_line(std::string& line) {
  const size_t end = pending_.find('\n');
  if (end == std::string::npos) return false;
  line = pending_.substr(0, end);
  pending_.erase(0, end + 1);
  return true;
}

std::string Subprocess::read_line() {
  for (std::string line;;) {
    if (take_line(line)) return line;
    char buffer[4096];
    const ssize_t got = ::read(from_, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) throw EnvironmentError(fmt::format("'{}' ended without an answer; run it by hand to see why", name_));
    pending_.append(buffer, static_cast<size_t>(got));
  }
}

bool Subprocess::read_available(std::vector<std::string>& lines) {
  bool open = true;
  for (pollfd ready{.fd = from_, .events = POLLIN, .revents = 0}; open && ::poll(&ready, 1, 0) > 0;) {
    char buffer[4096];
    const ssize_t got = ::read(from_, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      open = false;
    } else {
      pending_.append(buffer, static_cast<size_t>(got));
    }
  }
  for (std::string line; take_line(line);) lines.push_back(line);
  return open;
}

void Subprocess::signal(int number) const {
  if (child_ > 0) ::kill(child_, number);
}

int Subprocess::wait() {
  int status = 0;
  while (::waitpid(child_, &status, 0) < 0 && errno == EINTR) {
  }
  child_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace signstep
