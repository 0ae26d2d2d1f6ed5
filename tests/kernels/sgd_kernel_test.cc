// SPDX-License-Identifier: Apache-2.0
#include "signstep/kernels/sgd_kernel.h"

#include <gtest/gtest.h>

#include <cmath>

#include "signstep/parallel/thread_pool.h"
#include "tests/kernels/each_target.h"
#include "tests/kernels/tensor_list.h"

namespace signstep {
namespace {

TEST(SgdKernel, EveryTargetAndThreadCountEqualsTheReference) {
  const std::vector<size_t> lengths = awkward_lengths();
  const TensorList original(lengths, 21, true);
  for_each_target([&] {
    for (const size_t threads : {1, 2, 3, 8}) {
      ThreadPool pool(threads);
      for (const float mu : {0.0f, 0.9f})
        for (const auto& [products, l2] : {std::pair{false, 0.0f}, {true, 0.0f}, {true, 0.01f}, {false, 0.01f}})
          for (const ProductsWith with : {ProductsWith::kGradient, ProductsWith::kMomentum}) {
            TensorList expected = original, actual = original;
            std::vector<StepStatistics> want(lengths.size()), got(lengths.size());
            const auto prepare = [&](TensorList& data) {
              auto tensors = data.tensors();
              for (StepTensor& t : tensors) {
                t.sgd_rate = 0.3f;
                if (mu == 0) t.m = nullptr;
              }
              return tensors;
            };
            const SgdPhaseStep step = {
                .mu = mu, .decay_factor = 0.999f, .l2 = l2, .products = products, .products_with = with};
            sgd_phase_step_ref(prepare(expected), step, want);
            sgd_phase_step(prepare(actual), step, got, pool);
            ASSERT_TRUE(same_bits(actual.x, expected.x));
            ASSERT_TRUE(same_bits(actual.m, expected.m));
            for (size_t t = 0; t < lengths.size(); ++t) expect_same(got[t], want[t]);
          }
    }
  });
}

// g = 1, rate 1, mu .9, cold. A buffer scaled in place gives .1, .19, .1171 instead.
TEST(SgdKernel, MovingAverageKnownAnswers) {
  float x = 0, g = 1, d = 0;
  StepTensor tensor;
  tensor.x = &x;
  tensor.g = &g;
  tensor.m = &d;
  tensor.n = 1;
  tensor.sgd_rate = 1;
  SgdPhaseStep step;
  step.mu = 0.9f;
  StepStatistics statistics;
  SerialExecutor serial;
  for (const double expected : {.1, .19, .271, .3439, .40951, .468559}) {
    const float before = x;
    sgd_phase_step({&tensor, 1}, step, {&statistics, 1}, serial);
    EXPECT_NEAR(before - x, expected, 1e-6);
  }
}

// x = 8, g = 1, mu 1/2, rate 1, l2 1/4: h = 3, d = 1.5; then h = 1 + 6.5 / 4, d = 0.75 + 1.3125. Spared without decay.
TEST(SgdKernel, ThePenaltyJoinsTheGradient) {
  float x[2] = {8, 8}, g[2] = {1, 1}, d[2] = {0, 0};
  std::vector<StepTensor> tensors(2);
  for (int i = 0; i < 2; ++i) {
    tensors[i].x = x + i;
    tensors[i].g = g + i;
    tensors[i].m = d + i;
    tensors[i].n = 1;
    tensors[i].sgd_rate = 1;
  }
  tensors[1].decay = false;
  const SgdPhaseStep step{.mu = 0.5f, .l2 = 0.25f};
  StepStatistics statistics[2];
  SerialExecutor serial;
  sgd_phase_step(tensors, step, statistics, serial);
  EXPECT_EQ(x[0], 6.5f);
  EXPECT_EQ(x[1], 7.5f);
  sgd_phase_step(tensors, step, statistics, serial);
  EXPECT_EQ(x[0], 6.5f - 2.0625f);
  EXPECT_EQ(d[0], 2.0625f);
}

TEST(SgdKernel, NonFiniteCoordinatesStayAndAreCounted) {
  std::vector<float> x = {1, 2, 3}, g = {1, NAN, INFINITY}, d = {0, 5, 6};
  StepTensor tensor;
  tensor.x = x.data();
  tensor.g = g.data();
  tensor.m = d.data();
  tensor.n = 3;
  tensor.sgd_rate = 1;
  SgdPhaseStep step;
  step.mu = 0.5f;
  step.decay_factor = 0.5f;
  step.products = true;
  StepStatistics statistics;
  SerialExecutor serial;
  sgd_phase_step({&tensor, 1}, step, {&statistics, 1}, serial);
  EXPECT_EQ(x, (std::vector<float>{0, 2, 3}));
  EXPECT_EQ(d, (std::vector<float>{0.5f, 5, 6}));
  EXPECT_EQ(statistics.finite, 1u);
  EXPECT_EQ(statistics.nonfinite, 2u);
  EXPECT_EQ(statistics.v_dot_v, 1);
}

}  // namespace
}  // namespace signstep
