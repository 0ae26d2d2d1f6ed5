// SPDX-License-Identifier: Apache-2.0
#include "signstep/c/shared_threads.h"

#include <unistd.h>

#include <atomic>

#include "signstep/base/cpu.h"
#include "signstep/base/error.h"
#include "signstep/parallel/thread_pool.h"

namespace signstep {
namespace {

constexpr uint32_t kMostThreads = 4096;

std::atomic_flag busy;  // not a mutex: the holder's own passes may call us again

std::atomic<uint32_t>& wanted() {
  static std::atomic<uint32_t> threads{cpu_features().threads};
  return threads;
}

// While busy. Made when first used; left behind, never joined, where the process ends or was forked, as the threads
// of a fork's parent are not in the child.
ThreadPool& pool() {
  static ThreadPool* threads = nullptr;
  static pid_t owner = 0;
  if (owner != getpid()) threads = nullptr;
  if (threads != nullptr && threads->threads() != wanted()) {
    delete threads;
    threads = nullptr;
  }
  if (threads == nullptr) {
    threads = new ThreadPool(wanted());
    owner = getpid();
  }
  return *threads;
}

struct Release {
  ~Release() { busy.clear(std::memory_order_release); }
};

}  // namespace

void set_shared_threads(uint32_t threads) {
  if (threads < 1 || threads > kMostThreads)
    throw OptionError(fmt::format("threads is {}; wanted 1 to {}", threads, kMostThreads));
  wanted() = threads;
}

uint32_t shared_threads() { return wanted(); }

void with_executor(const std::function<void(Executor&)>& f) {
  if (wanted() > 1 && !busy.test_and_set(std::memory_order_acquire)) {
    const Release release;
    return f(pool());
  }
  SerialExecutor alone;
  f(alone);
}

}  // namespace signstep
