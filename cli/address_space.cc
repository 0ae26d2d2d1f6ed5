// SPDX-License-Identifier: Apache-2.0
// LibTorch and OpenBLAS allocate and start threads in their constructors, before main, and end the program there as
// they please when the address space is too small: terminate, SIGINT to oneself. So the room is looked at before them,
// by what the system runs first of all (System V gABI: .preinit_array). Only system calls work there.
#include <fcntl.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace {

constexpr uint64_t kMiB = uint64_t{1} << 20;
// Measured with LibTorch 1.13: constructors take 50 MiB, the smallest training 130; a stack of 8 MiB for each thread
// that OpenBLAS starts.
constexpr uint64_t kRoom = 128 * kMiB, kRoomPerCore = 10 * kMiB;
constexpr int kEnvironment = 5;  // exit_code.h

void say(const char* text) { [[maybe_unused]] const ssize_t n = ::write(STDERR_FILENO, text, std::strlen(text)); }

void say(uint64_t number) {
  char text[24] = {};
  char* at = text + sizeof text - 1;
  do *--at = static_cast<char>('0' + number % 10);
  while ((number /= 10) != 0);
  say(at);
}

uint64_t mapped_bytes() {
  char text[32] = {};
  const int file = ::open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  const ssize_t length = ::read(file, text, sizeof text - 1);
  ::close(file);
  uint64_t pages = 0;
  for (ssize_t i = 0; i < length && text[i] >= '0' && text[i] <= '9'; ++i)
    pages = 10 * pages + static_cast<uint64_t>(text[i] - '0');
  return pages * static_cast<uint64_t>(::getpagesize());
}

void require_room(int, char**, char**) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return;
  cpu_set_t cores;
  const int known = ::sched_getaffinity(0, sizeof cores, &cores);
  const uint64_t wanted =
      mapped_bytes() + kRoom + kRoomPerCore * static_cast<uint64_t>(known == 0 ? CPU_COUNT(&cores) : 1);
  if (limit.rlim_cur >= wanted) return;
  say("signstep: the limit on address space (ulimit -v) is ");
  say(limit.rlim_cur / 1024);
  say(" KiB; wanted at least ");
  say(wanted / 1024);
  say(", which LibTorch needs to start: raise it\n");
  ::_exit(kEnvironment);
}

[[gnu::section(".preinit_array"), gnu::used]] void (*const first_of_all)(int, char**, char**) = require_room;

}  // namespace
