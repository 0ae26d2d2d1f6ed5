// SPDX-License-Identifier: Apache-2.0
#include "cli/resources.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <new>
#include <system_error>

#include "cli/exit_code.h"

namespace signstep::cli {
namespace {

constexpr int kEnvironment = exit_code(ErrorKind::kEnvironment);
constexpr size_t kMiB = size_t{1} << 20;

// Safe in a signal handler.
void say(const char* text) { [[maybe_unused]] const ssize_t n = ::write(STDERR_FILENO, text, std::strlen(text)); }

void say_out_of_memory() {
  say("signstep: ");
  say(kOutOfMemory);
  say("\n");
}

bool can_map(size_t bytes) {
  void* const at = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED) return false;
  ::munmap(at, bytes);
  return true;
}

// oneDNN 2.6 and others use what malloc or mmap gave without a look. A crash with memory left is another one's.
void on_crash(int number) {
  if (can_map(64 * kMiB)) {
    std::signal(number, SIG_DFL);
    std::raise(number);
    return;
  }
  say_out_of_memory();
  ::_exit(kEnvironment);
}

// Only where a limit is set, so that elsewhere a crash is what it always was.
void catch_crashes() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return;
  static char stack[16384];
  const stack_t own{.ss_sp = stack, .ss_flags = 0, .ss_size = sizeof stack};
  struct sigaction action {};
  action.sa_handler = on_crash;
  action.sa_flags = SA_ONSTACK | SA_NODEFER;
  if (::sigaltstack(&own, nullptr) != 0) return;
  ::sigaction(SIGSEGV, &action, nullptr);
  ::sigaction(SIGBUS, &action, nullptr);
}

[[noreturn]] void on_terminate() {
  try {
    if (const auto now = std::current_exception()) std::rethrow_exception(now);
  } catch (const std::bad_alloc&) {
    say_out_of_memory();
    ::_exit(kEnvironment);
  } catch (const std::system_error& e) {  // a thread that could not be had
    say("signstep: ");
    say(e.what());
    say("; raise the limit (ulimit -u, ulimit -v), or lower --threads\n");
    ::_exit(kEnvironment);
  } catch (...) {
  }
  say("signstep: internal error: the program was terminated. Please report it with the command that you ran.\n");
  std::abort();
}

// The program itself leaves by leave(), so whoever runs exit handlers is a library: OpenMP ends so without threads.
void on_library_exit() {
  say("signstep: a library ended the program, because a thread or memory could not be had; raise the limit (ulimit -u, "
      "ulimit -v), or lower --threads\n");
  ::_exit(kEnvironment);
}

}  // namespace

void prepare_process() {
  int fd = 0;
  do fd = ::open("/dev/null", O_RDWR);
  while (fd >= 0 && fd <= STDERR_FILENO);
  if (fd >= 0) ::close(fd);
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGCHLD, SIG_DFL);  // ignored, as some parents leave it, it would hide how children end
  std::signal(SIGXFSZ, SIG_IGN);
  std::atexit(on_library_exit);
  std::set_terminate(on_terminate);
  catch_crashes();
}

void leave(int code) {
  const bool lost = std::fflush(stdout) != 0 || std::ferror(stdout) != 0;
  if (lost) say("signstep: standard output could not be written whole; check the free space, and who reads it\n");
  std::fflush(stderr);
  ::_exit(lost && code == 0 ? kEnvironment : code);
}

}  // namespace signstep::cli
