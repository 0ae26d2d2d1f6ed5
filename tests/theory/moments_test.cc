// SPDX-License-Identifier: Apache-2.0
#include "signstep/theory/moments.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <fstream>

#include "signstep/kernels/lane_sums.h"
#include "signstep/parallel/thread_pool.h"
#include "signstep/random/random.h"
#include "tests/kernels/each_target.h"

namespace signstep {
namespace {

std::vector<std::vector<float>> draws(size_t count, size_t coordinates, double mean = 0) {
  std::vector<std::vector<float>> all(count, std::vector<float>(coordinates));
  for (size_t k = 0; k < count; ++k) {
    SequentialRandom random(Stream(5, Purpose::kProblem, k));
    for (size_t i = 0; i < coordinates; ++i) {
      const double x = random.normal(), scale = std::pow(10.0, static_cast<double>(i % 7) - 3);
      all[k][i] = static_cast<float>(scale * (mean + x + 0.4 * x * x));  // skewed
    }
  }
  return all;
}

bool same(const Moments& a, const Moments& b) {
  return a.n == b.n && a.mean == b.mean && a.m2 == b.m2 && a.m3 == b.m3 && a.m4 == b.m4;
}

// Within 1e-10 of K sd^p of two passes in long double, for means up to a thousand standard deviations.
void expect_exact(const Moments& m, const std::vector<std::vector<float>>& all, size_t i) {
  const auto n = static_cast<long double>(all.size());
  long double mean = 0, sums[5] = {};
  for (const auto& draw : all) mean += draw[i];
  mean /= n;
  for (const auto& draw : all)
    for (int p = 2; p <= 4; ++p) sums[p] += std::pow(static_cast<long double>(draw[i]) - mean, p);
  const long double sd = std::sqrt(sums[2] / n);
  EXPECT_NEAR(m.mean, mean, 1e-10 * sd);
  EXPECT_NEAR(m.m2, sums[2], 1e-10 * n * sd * sd);
  EXPECT_NEAR(m.m3, sums[3], 1e-10 * n * sd * sd * sd);
  EXPECT_NEAR(m.m4, sums[4], 1e-10 * n * sd * sd * sd * sd);
}

TEST(Moments, EqualTwoPassesInLongDouble) {
  SerialExecutor serial;
  for (const double mean : {0.0, 1.0, 1000.0}) {
    const auto all = draws(4096, 21, mean);
    CoordinateMoments m(21);
    for (const auto& draw : all) m.add(draw, serial);
    for (size_t i = 0; i < 21; ++i) expect_exact(m.at(i), all, i);
  }
}

TEST(Moments, MergedPartsEqualTwoPassesInLongDouble) {
  SerialExecutor serial;
  const auto all = draws(1000, 14, 10);
  for (const size_t part : {1, 3, 64, 500, 1000}) {
    CoordinateMoments whole(14);
    for (size_t begin = 0; begin < all.size(); begin += part) {
      CoordinateMoments piece(14);
      for (size_t k = begin; k < std::min(begin + part, all.size()); ++k) piece.add(all[k], serial);
      whole.merge(piece, serial);
    }
    ASSERT_EQ(whole.draws(), all.size());
    for (size_t i = 0; i < 14; ++i) expect_exact(whole.at(i), all, i);
  }
}

// Lengths that leave part of a vector and part of a task; every target and thread count against the scalar loop.
TEST(Moments, EveryTargetAndThreadCountEqualsTheReference) {
  for (const size_t n : {size_t{1}, size_t{7}, size_t{1000}, kPartialElements + 5}) {
    const auto all = draws(n > 2000 ? 3 : 40, n);
    const std::vector<Moments> expected = moments_ref(all);
    for_each_target([&] {
      for (const size_t threads : {1, 2, 5}) {
        ThreadPool pool(threads);
        CoordinateMoments m(n), other(n);
        for (const auto& draw : all) m.add(draw, pool), other.add(draw, pool);
        for (size_t i = 0; i < n; ++i) ASSERT_TRUE(same(m.at(i), expected[i])) << i;
        m.merge(other, pool);
        for (size_t i = 0; i < n; ++i) {
          Moments twice = expected[i];
          twice.merge(expected[i]);
          ASSERT_TRUE(same(m.at(i), twice)) << i;
        }
      }
    });
  }
}

TEST(Moments, KnownAnswers) {
  Moments m, empty;
  for (const double x : {1.0, 2.0, 3.0, 10.0}) m.add(x);
  EXPECT_DOUBLE_EQ(m.mean, 4);
  EXPECT_DOUBLE_EQ(m.variance(), 50.0 / 3);
  EXPECT_DOUBLE_EQ(m.m3, 180);
  EXPECT_DOUBLE_EQ(m.m4, 1394);
  EXPECT_DOUBLE_EQ(m.skewness(), 45 / std::pow(12.5, 1.5));
  EXPECT_DOUBLE_EQ(m.excess_kurtosis(), 348.5 / 156.25 - 3);
  EXPECT_DOUBLE_EQ(m.standard_error(), std::sqrt(50.0 / 12));
  Moments copy = m;
  copy.merge(empty);
  EXPECT_TRUE(same(copy, m));
  empty.merge(m);
  EXPECT_TRUE(same(empty, m));
  EXPECT_EQ(Moments().variance(), 0);
  EXPECT_EQ(Moments().skewness(), 0);
}

size_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  size_t pages = 0, resident = 0;
  statm >> pages >> resident;
  return resident * static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

// ResNet-18 at width 64, with what analyze keeps beside the moments: the reference and the sign counts.
TEST(Moments, ElevenMillionCoordinatesFitIn600MiB) {
#if defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "ThreadSanitizer keeps four times as much beside it";
#endif
  constexpr size_t kCoordinates = 11'173'962;
  SerialExecutor serial;
  const std::vector<float> draw(kCoordinates, 1.0f);
  const size_t before = resident_bytes();
  const std::vector<float> reference = draw;
  const std::vector<uint16_t> positive(kCoordinates, 1), negative = positive;
  CoordinateMoments m(kCoordinates);
  for (int k = 0; k < 2; ++k) m.add(draw, serial);
  const size_t used = resident_bytes() - before;
  EXPECT_GT(used, kCoordinates * 4 * sizeof(double)) << "all of it is touched";
  EXPECT_LT(used, size_t{600} << 20);
  EXPECT_EQ(reference.size(), negative.size());
}

}  // namespace
}  // namespace signstep
