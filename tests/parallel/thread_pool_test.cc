// SPDX-License-Identifier: Apache-2.0
#include "signstep/parallel/thread_pool.h"

#include <gmock/gmock.h>
#include <sys/resource.h>
#include <xmmintrin.h>

#include <cfenv>
#include <fstream>
#include <thread>

#include "signstep/base/error.h"
#include "tests/support/message_of.h"

namespace signstep {
namespace {

TEST(ThreadPool, RunsEveryTaskOnceOverManyRuns) {
  for (size_t threads : {1, 2, 3, 8}) {
    ThreadPool pool(threads);
    EXPECT_EQ(pool.threads(), threads);
    for (size_t count : {0, 1, 2, 7, 100}) {
      for (int round = 0; round < 50; ++round) {
        std::vector<std::atomic<int>> hits(count);
        pool.run(count, [&](size_t i) { ++hits[i]; });
        for (const auto& h : hits) ASSERT_EQ(h, 1);
      }
    }
  }
}

// A worker that wakes up late must not take part in a run that is over, whose task is gone.
TEST(ThreadPool, LateWorkersJoinOnlyTheRunUnderWay) {
  ThreadPool pool(8);
  for (int round = 0; round < 5000; ++round) {
    std::atomic<int> done = 0;
    const std::vector<int> values(2, round);  // dies with the round
    pool.run(2, [&](size_t i) {
      EXPECT_EQ(values[i], round);
      ++done;
    });
    ASSERT_EQ(done, 2);
  }
}

// A host may flush denormals, or round otherwise, in some of its threads: it must not show in anything.
TEST(ThreadPool, TasksComputeAlikeWhateverTheHostHasSet) {
  ThreadPool early(4);
  std::fenv_t before;
  std::fegetenv(&before);
  std::fesetround(FE_UPWARD);
  _mm_setcsr(_mm_getcsr() | 0x8040);
  const unsigned host = _mm_getcsr() & ~0x3fu;
  ThreadPool late(4);  // its threads have what the host has now
  SerialExecutor serial;
  for (Executor* executor :
       {static_cast<Executor*>(&early), static_cast<Executor*>(&late), static_cast<Executor*>(&serial)}) {
    std::atomic<int> kept = 0, rounded = 0;
    executor->run(100, [&](size_t) {
      volatile float denormal = 1e-40f, one = 1.0f;
      if (denormal * one != 0) ++kept;
      if (one + 1e-10f * one == 1.0f) ++rounded;
    });
    EXPECT_EQ(kept, 100);
    EXPECT_EQ(rounded, 100);
    EXPECT_EQ(_mm_getcsr() & ~0x3fu, host) << "the host's own comes back";
  }
  std::fesetenv(&before);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // they reserve more than any limit here
// Leaves room for some stacks, not for 4096; exit code 0 when the pool said so.
[[noreturn]] void start_too_many() {
  std::ifstream statm("/proc/self/statm");
  rlim_t pages = 0;
  statm >> pages;
  const rlim_t bytes = pages * 4096 + (rlim_t{256} << 20);
  const rlimit limit{bytes, bytes};
  if (setrlimit(RLIMIT_AS, &limit) != 0) std::exit(1);
  const std::string message = message_of<EnvironmentError>([] { const ThreadPool pool(4096); });
  std::exit(message.find("of 4096") != std::string::npos ? 0 : 2);
}

// Batch systems limit memory; a thread's stack then cannot be had.
TEST(ThreadPoolDeathTest, ARefusedThreadIsAnError) { EXPECT_EXIT(start_too_many(), ::testing::ExitedWithCode(0), ""); }
#endif

}  // namespace
}  // namespace signstep
