// SPDX-License-Identifier: Apache-2.0
#include "signstep/core/thread_pool.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace signstep
