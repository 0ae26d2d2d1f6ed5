// SPDX-License-Identifier: Apache-2.0
#include "signstep/base/subprocess.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <memory>
#include <utility>

#include "signstep/base/error.h"
#include "signstep/base/pipe.h"

namespace signstep {
namespace {

// Holds signals back while a child is forked: one that came before the program is there would be lost to the parent's
// handlers, of which the child has copies.
class SignalsHeld {
 public:
  SignalsHeld() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsHeld() { let_go(); }
  SignalsHeld(const SignalsHeld&) = delete;
  SignalsHeld& operator=(const SignalsHeld&) = delete;

  // In the child: what was caught does what it does to any program. What is ignored stays so, as under nohup.
  void in_child() const {
    for (int signal = 1; signal < NSIG; ++signal) {
      struct sigaction action {};
      if (::sigaction(signal, nullptr, &action) != 0 || action.sa_handler == SIG_IGN) continue;
      action = {};
      action.sa_handler = SIG_DFL;
      ::sigaction(signal, &action, nullptr);
    }
    let_go();
  }

 private:
  void let_go() const { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

  sigset_t before_;
};

// In the child, after fork: only what is safe there. Tells the parent by the pipe why the program did not start.
[[noreturn]] void become(char** argv, char** environment, int in, int out, int errors, pid_t parent, int report,
                         const SignalsHeld& signals) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);  // it died before the line above
  ::dup2(in, STDIN_FILENO);
  ::dup2(out, STDOUT_FILENO);
  ::dup2(errors, STDERR_FILENO);
  signals.in_child();
  ::execvpe(argv[0], argv, environment);
  const int code = errno;
  [[maybe_unused]] const ssize_t told = ::write(report, &code, sizeof code);
  ::_exit(127);
}

// waitpid that a signal does not cut short.
pid_t wait_for(pid_t child, int* status, int options) {
  pid_t ended = -1;
  while ((ended = ::waitpid(child, status, options)) < 0 && errno == EINTR) {
  }
  return ended;
}

// Our environment, but for what is named; execvpe still looks for the program along our own PATH.
std::vector<std::string> with_variables(const std::map<std::string, std::string>& own) {
  std::vector<std::string> all;
  for (char** entry = ::environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    if (!own.contains(text.substr(0, text.find('=')))) all.push_back(text);
  }
  for (const auto& [name, value] : own) all.push_back(name + "=" + value);
  return all;
}

// Of the words, which must outlive them, and a null at the end.
std::vector<char*> pointers(const std::vector<std::string>& words) {
  std::vector<char*> out;
  for (const std::string& word : words) out.push_back(const_cast<char*>(word.c_str()));
  out.push_back(nullptr);
  return out;
}

// Where a parent left SIGCHLD ignored, the system forgets how children end.
[[noreturn]] void throw_unseen_end(const std::string& name) {
  throw EnvironmentError(
      fmt::format("how '{}' ended cannot be known: {}; start this program with SIGCHLD at its default", name,
                  std::strerror(errno)));
}

int exit_code(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status); }

}  // namespace

Subprocess::Subprocess(const std::vector<std::string>& command, Errors errors,
                       const std::map<std::string, std::string>& environment)
    : name_(fmt::format("{}", fmt::join(command, " "))) {
  Pipe in, out, report;
  const std::unique_ptr<Pipe> apart = errors == Errors::kApart ? std::make_unique<Pipe>() : nullptr;
  if (!in || !out || !report || (apart && !*apart)) throw_errno("open a pipe to", name_, "close some files");
  const std::vector<std::string> variables = with_variables(environment);
  const std::vector<char*> argv = pointers(command), envp = pointers(variables);
  const int its_errors = apart ? apart->writing() : errors == Errors::kJoin ? out.writing() : STDERR_FILENO;
  const pid_t parent = ::getpid();
  int failed = 0;
  {
    const SignalsHeld signals;
    child_ = ::fork();
    if (child_ == 0)
      become(const_cast<char**>(argv.data()), const_cast<char**>(envp.data()), in.reading(), out.writing(), its_errors,
             parent, report.writing(), signals);
    if (child_ < 0) failed = errno;
  }
  ::close(report.take_writing());  // its end of file says that the program started
  int code = 0;
  ssize_t got = 0;
  while (failed == 0 && (got = ::read(report.reading(), &code, sizeof code)) < 0 && errno == EINTR) {
  }
  if (got == sizeof code) failed = code;
  if (failed != 0) {
    if (child_ > 0) wait_for(child_, nullptr, 0);
    errno = failed;
    throw_errno("start", name_, "name another program");
  }
  to_ = in.take_writing();
  from_ = out.take_reading();
  if (apart) errors_ = apart->take_reading();
}

Subprocess::~Subprocess() {
  ::close(to_);
  const auto until = std::chrono::steady_clock::now() + kFarewell;
  bool open = true;
  while (child_ > 0 && wait_for(child_, nullptr, WNOHANG) == 0) {
    if (std::chrono::steady_clock::now() > until) {
      ::kill(child_, SIGKILL);
      wait_for(child_, nullptr, 0);
      break;
    }
    pollfd ready{.fd = open ? from_ : -1, .events = POLLIN, .revents = 0};
    char dropped[4096];
    if (::poll(&ready, 1, 10) > 0) open = ::read(from_, dropped, sizeof dropped) > 0;
  }
  ::close(from_);
  ::close(errors_);
}

void Subprocess::write_line(const std::string& line) {
  const std::string text = line + "\n";
  for (size_t done = 0; done < text.size();) {
    const ssize_t written = write_quietly(to_, std::string_view(text).substr(done));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) throw_errno("talk to", name_, "run it by hand to see why");
    done += static_cast<size_t>(written);
  }
}

bool Subprocess::take_line(std::string& line) {
  const size_t end = pending_.find('\n');
  if (end == std::string::npos) return false;
  line = pending_.substr(0, end);
  pending_.erase(0, end + 1);
  return true;
}

bool Subprocess::take_rest(std::string& line) {
  line = std::exchange(pending_, {});
  return !line.empty();
}

std::string Subprocess::read_line() {
  for (std::string line;;) {
    if (take_line(line)) return line;
    if (read_some(from_, pending_)) continue;
    if (take_rest(line)) return line;
    throw EnvironmentError(fmt::format("'{}' ended without an answer; run it by hand to see why", name_));
  }
}

bool Subprocess::read_available(std::vector<std::string>& lines) {
  bool open = true;
  for (pollfd ready{.fd = from_, .events = POLLIN, .revents = 0}; open && ::poll(&ready, 1, 0) > 0;)
    open = read_some(from_, pending_);
  std::string line;
  while (take_line(line)) lines.push_back(line);
  if (!open && take_rest(line)) lines.push_back(line);
  return open;
}

Subprocess::Ended Subprocess::communicate(std::string_view input, std::chrono::milliseconds limit) {
  using Clock = std::chrono::steady_clock;
  ::fcntl(to_, F_SETFL, O_NONBLOCK);
  Ended ended;
  ended.output.swap(pending_);
  const auto until = Clock::now() + limit;
  pollfd pipes[] = {{to_, POLLOUT, 0}, {from_, POLLIN, 0}, {errors_, POLLIN, 0}};
  auto& [in, out, errors] = pipes;
  int status = 0;
  pid_t gone = 0;
  while (out.fd >= 0 || errors.fd >= 0 || (gone = wait_for(child_, &status, WNOHANG)) == 0) {
    if (Clock::now() >= until) {
      ended.in_time = false;
      ::kill(-child_, SIGKILL);
      gone = wait_for(child_, &status, 0);
      break;
    }
    if (::poll(pipes, 3, 10) <= 0) continue;
    if (in.revents != 0) {
      const ssize_t written = write_quietly(to_, input);
      if (written > 0) input.remove_prefix(static_cast<size_t>(written));
      if (input.empty() || (written < 0 && errno != EINTR && errno != EAGAIN)) {
        ::close(std::exchange(to_, -1));
        in.fd = -1;
      }
    }
    if (out.revents != 0 && !read_some(from_, ended.output)) out.fd = -1;
    if (errors.revents != 0 && !read_some(errors_, ended.errors)) errors.fd = -1;
  }
  child_ = -1;
  if (gone < 0) throw_unseen_end(name_);
  ended.exit_code = exit_code(status);
  return ended;
}

void Subprocess::signal(int number) const {
  if (child_ > 0) ::kill(child_, number);
}

std::optional<int> Subprocess::ended() {
  int status = 0;
  const pid_t gone = child_ <= 0 ? 0 : wait_for(child_, &status, WNOHANG);
  if (gone == 0) return std::nullopt;
  child_ = -1;
  if (gone < 0) throw_unseen_end(name_);
  return exit_code(status);
}

int Subprocess::wait() {
  int status = 0;
  const pid_t gone = wait_for(child_, &status, 0);
  child_ = -1;
  if (gone < 0) throw_unseen_end(name_);
  return exit_code(status);
}

}  // namespace signstep
