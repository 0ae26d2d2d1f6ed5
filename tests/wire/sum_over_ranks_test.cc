// SPDX-License-Identifier: Apache-2.0
#include "signstep/wire/sum_over_ranks.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "signstep/parallel/thread_pool.h"
#include "signstep/random/random.h"
#include "signstep/wire/rank_threads.h"

namespace signstep {
namespace {

constexpr std::chrono::milliseconds kLong = std::chrono::minutes(2);

// Of very different sizes, so that another order of additions gives other bits.
std::vector<std::vector<float>> values_of_ranks(size_t ranks, size_t n) {
  SequentialRandom random(Stream(ranks, Purpose::kSample, n));
  std::vector<std::vector<float>> values(ranks, std::vector<float>(n));
  for (auto& rank : values)
    for (float& value : rank)
      value = std::ldexp(static_cast<float>(random.uniform()) - 0.5f, static_cast<int>(random.below(20)));
  return values;
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), 4 * a.size()) == 0);
}

TEST(SumOverRanks, HasTheBitsOfOneProcessAndTheBytesOfARing) {
  for (size_t ranks = 1; ranks <= 5; ++ranks) {
    for (const size_t n : {size_t{0}, size_t{1}, size_t{2}, size_t{7}, size_t{1000}, size_t{1} << 20}) {
      if (n > 1000 && ranks != 3) continue;  // more than a piece
      const auto values = values_of_ranks(ranks, n);
      const std::vector<float> sum = sum_over_ranks_ref(values), mean = mean_over_ranks_ref(values);
      run_ranks(ranks, kLong, [&](Communicator& world) {
        ThreadPool pool(1 + world.rank() % 2);
        std::vector<float> mine = values[world.rank()], too = mine;
        sum_over_ranks(world, mine, pool);
        EXPECT_TRUE(same_bits(mine, sum)) << ranks << " ranks, " << n << " elements";
        EXPECT_EQ(world.sent().total(), sum_bytes(n, ranks));
        mean_over_ranks(world, too, pool);
        EXPECT_TRUE(same_bits(too, mean));
        EXPECT_EQ(world.sent().total(), 2 * sum_bytes(n, ranks));
      });
    }
  }
}

TEST(SumOverRanks, AddsInRankOrder) {
  const std::vector<std::vector<float>> values = {{1e8f}, {-1e8f}, {1.0f}};
  EXPECT_EQ(sum_over_ranks_ref(values)[0], 1.0f);
  const std::vector<std::vector<float>> other_order = {{1.0f}, {1e8f}, {-1e8f}};
  EXPECT_EQ(sum_over_ranks_ref(other_order)[0], 0.0f);
  run_ranks(3, kLong, [&](Communicator& world) {
    SerialExecutor serial;
    std::vector<float> mine = other_order[world.rank()];
    sum_over_ranks(world, mine, serial);
    EXPECT_EQ(mine[0], 0.0f);
  });
}

TEST(SumOverRanks, InfinityAndNaNReachEveryRank) {
  run_ranks(2, kLong, [](Communicator& world) {
    SerialExecutor serial;
    const float special = world.rank() == 1 ? std::numeric_limits<float>::infinity() : 0;
    std::vector<float> values = {special, world.rank() == 0 ? std::numeric_limits<float>::quiet_NaN() : 1, 2};
    mean_over_ranks(world, values, serial);
    EXPECT_EQ(values[0], std::numeric_limits<float>::infinity());
    EXPECT_TRUE(std::isnan(values[1]));
    EXPECT_EQ(values[2], 2.0f);
  });
}

}  // namespace
}  // namespace signstep
