// SPDX-License-Identifier: Apache-2.0
#include "signstep/optim/mean_squares.h"

#include <cmath>

#include "signstep/parallel/executor.h"
#include "signstep/wire/rank_threads.h"
#include "tests/optim/fixtures.h"

namespace signstep {
namespace {

double exact(const std::vector<float>& v) {
  double sum = 0;
  for (const float x : v) sum += static_cast<double>(x) * x;
  return sum;
}

std::vector<double> measured(Communicator& world, const std::vector<float>& v, uint64_t seed, uint64_t step) {
  SerialExecutor serial;
  const std::span<const float> values[] = {v};
  return mean_squares(world, values, seed, step, serial);
}

TEST(MeanSquares, SmallTensorsExactly) {
  for (const size_t n : {size_t{0}, size_t{1}, size_t{4095}}) {
    const std::vector<float> v = normals(n, 7);
    run_ranks(1, std::chrono::minutes(2),
              [&](Communicator& world) { EXPECT_DOUBLE_EQ(measured(world, v, 1, 1)[0], exact(v)) << n; });
  }
}

// A third of a layer's filters are 25 times as large as the others: a sample of neighbours would see one or two of
// them, and 1 / |v| of it, which the switch averages, be several times too large.
TEST(MeanSquares, OfFiltersOfDifferentSizes) {
  for (const size_t n : {size_t{4608}, size_t{8191}, size_t{8192}, size_t{36864}}) {
    for (const size_t filter : {size_t{16}, size_t{64}, size_t{144}}) {
      std::vector<float> v = normals(n, 8);
      for (size_t i = 0; i < n; ++i)
        if (i / filter % 3 != 0) v[i] *= 0.04f;
      constexpr int kDraws = 400;
      double squares = 0, inverse_lengths = 0;
      run_ranks(1, std::chrono::minutes(2), [&](Communicator& world) {
        for (uint64_t step = 0; step < kDraws; ++step) {
          const double share = measured(world, v, 3, step)[0] / exact(v);
          squares += share;
          inverse_lengths += 1 / std::sqrt(share);
        }
      });
      EXPECT_NEAR(squares / kDraws, 1, 0.05) << n << ", " << filter;
      EXPECT_NEAR(inverse_lengths / kDraws, 1, 0.12) << n << ", " << filter;
    }
  }
}

}  // namespace
}  // namespace signstep
