// SPDX-License-Identifier: Apache-2.0
#include "signstep/kernels/reduce.h"

#include <gtest/gtest.h>

#include <cfenv>
#include <cmath>

#include "signstep/parallel/thread_pool.h"
#include "tests/kernels/each_target.h"
#include "tests/kernels/tensor_list.h"

namespace signstep {
namespace {

TEST(Reduce, EveryTargetAndThreadCountEqualsTheReference) {
  std::vector<size_t> lengths = awkward_lengths();
  lengths.push_back(3 * kPartialElements + 1);
  const TensorList data({4 * kPartialElements}, 3, false);
  for_each_target([&] {
    for (const size_t threads : {1, 2, 3, 8}) {
      ThreadPool pool(threads);
      for (const size_t n : lengths) {
        if (threads > 1 && n < kPartialElements) continue;
        const std::span<const float> a(data.x.data() + 1, n), b(data.g.data() + n % 3, n);
        ASSERT_TRUE(same_bits(dot(a, b, pool), dot_ref(a, b))) << n;
        ASSERT_TRUE(same_bits(sum_of_squares(a, pool), sum_of_squares_ref(a))) << n;
        ASSERT_TRUE(same_bits(l1_norm(a, pool), l1_norm_ref(a))) << n;
      }
    }
  });
}

// Also the sum of the pieces, which the calling thread forms.
TEST(Reduce, TheHostsRoundingDoesNotMatter) {
  const TensorList data({4 * kPartialElements}, 3, false);
  const std::span<const float> a(data.x.data(), 4 * kPartialElements);
  ThreadPool pool(2);
  const double wanted = sum_of_squares(a, pool);
  const int before = std::fegetround();
  for (const int mode : {FE_UPWARD, FE_DOWNWARD}) {
    std::fesetround(mode);
    const double got = sum_of_squares(a, pool);
    std::fesetround(before);
    EXPECT_TRUE(same_bits(got, wanted)) << mode;
  }
}

TEST(Reduce, KnownAnswers) {
  const std::vector<float> a = {3, -4, 0, 1}, b = {1, 2, 5, -1};
  SerialExecutor serial;
  EXPECT_EQ(dot(a, b, serial), -6);
  EXPECT_EQ(sum_of_squares(a, serial), 26);
  EXPECT_EQ(l1_norm(a, serial), 8);
  EXPECT_EQ(l1_norm({}, serial), 0);
  EXPECT_TRUE(std::isnan(dot(std::vector<float>{1, NAN}, std::vector<float>{1, 1}, serial)));
}

// The order as lane_sums.h words it: 1 and 2^-53 meet in one lane or in two.
TEST(Reduce, AddsInTheDocumentedOrder) {
  SerialExecutor serial;
  std::vector<float> a(33, 0.0f);
  a[0] = 1;                 // lane 0
  a[16] = 0x1p-53f;         // lane 0: 1 + 2^-53 rounds to 1
  a[1] = a[17] = 0x1p-54f;  // lane 1: 2^-53, and 1 + 2^-53 rounds to 1 again
  EXPECT_EQ(l1_norm(a, serial), 1);
  a[17] = a[16];  // lane 1: 1.5 * 2^-53 is above the tie
  EXPECT_EQ(l1_norm(a, serial), 1 + 0x1p-52);
}

}  // namespace
}  // namespace signstep
