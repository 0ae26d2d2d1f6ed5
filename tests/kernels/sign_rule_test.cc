// SPDX-License-Identifier: Apache-2.0
// What the rule means, on hand-made inputs: known sequences, zeros, non-finite values, decay, blend and statistics.
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "signstep/kernels/sgd_kernel.h"
#include "signstep/kernels/sign_kernel.h"
#include "signstep/random/normal.h"
#include "tests/kernels/each_target.h"

namespace signstep {
namespace {

struct Tensor {
  std::vector<float> x, g, m;
  float sigma = 0, sgd_rate = 0;
  bool decay = true;

  StepStatistics step(const SignStep& s) {
    StepTensor t;
    t.x = x.data();
    t.g = g.data();
    t.m = m.empty() ? nullptr : m.data();
    t.n = x.size();
    t.sigma = sigma;
    t.sgd_rate = sgd_rate;
    t.decay = decay;
    StepStatistics statistics;
    SerialExecutor serial;
    sign_step({&t, 1}, s, {&statistics, 1}, serial);
    return statistics;
  }
};

// Every case below holds in a vector of 40 equal elements as it does in one: both code paths.
constexpr size_t kCopies = 40;

TEST(SignRule, SignumAndSignSgdKnownSequences) {
  for (const bool signum : {true, false}) {
    Tensor t = {std::vector<float>(kCopies, 0.0f), std::vector<float>(kCopies), {}};
    SignStep s;
    s.lr = 1;
    if (signum) {
      t.m.assign(kCopies, 0.0f);
      s.b1 = s.b2 = 0.9f;
    }
    const float gradients[] = {1, 1, -3, -1, 0, 0.5f};
    const float expected[2][6] = {{-1, -2, -1, 0, 0, -1}, {-1, -2, -1, 0, 1, 2}};
    for (int k = 0; k < 6; ++k) {
      t.g.assign(kCopies, gradients[k]);
      t.step(s);
      EXPECT_EQ(t.x, std::vector<float>(kCopies, expected[signum][k])) << k;
    }
  }
}

TEST(SignRule, ZerosByPolicy) {
  for (const float zero : {0.0f, -0.0f}) {
    SignStep s;
    s.lr = 0.25f;
    s.decay_factor = 0.5f;
    s.sums = StepSums::kAll;
    Tensor t = {std::vector<float>(kCopies, 2.0f), std::vector<float>(kCopies, zero), {}};
    EXPECT_EQ(t.step(s).nonzero, 0u);
    EXPECT_EQ(t.x, std::vector<float>(kCopies, 1.0f)) << "no step, but decay";

    s.zero = ZeroPolicy::kPlus;
    t.x.assign(kCopies, 2.0f);
    EXPECT_EQ(t.step(s).nonzero, kCopies);
    EXPECT_EQ(t.x, std::vector<float>(kCopies, 0.75f));
  }
  // Fair coins, bit i mod 128 of group i / 128.
  SignStep s;
  s.lr = 1;
  s.zero = ZeroPolicy::kRandom;
  s.seed = 5;
  s.step = 6;
  Tensor t = {std::vector<float>(100'000, 0.0f), std::vector<float>(100'000, 0.0f), {}};
  t.step(s);
  const Stream coins(5, Purpose::kZeroCoin, 6);
  double sum = 0;
  for (size_t i = 0; i < t.x.size(); ++i) {
    ASSERT_EQ(t.x[i], coins.word(i / 32) >> (i % 32) & 1 ? -1 : 1) << i;
    sum += t.x[i];
  }
  EXPECT_NEAR(sum / 1e5, 0, 4.5 / std::sqrt(1e5));
}

TEST(SignRule, NonFiniteCoordinatesStayAndAreCounted) {
  for (const bool signum : {false, true}) {
    Tensor t = {std::vector<float>(50, 1.0f), std::vector<float>(50, 1.0f), {}};
    t.g[3] = NAN;
    t.g[20] = INFINITY;
    t.g[49] = -INFINITY;
    t.g[5] = 1e-45f;
    SignStep s;
    s.lr = 0.5f;
    s.decay_factor = 0.5f;
    s.sums = StepSums::kAll;
    size_t bad = 3;
    if (signum) {
      s.b1 = s.b2 = 0.5f;
      t.m.assign(50, 0.25f);
      t.m[10] = NAN;
      bad = 4;
    }
    const StepStatistics statistics = t.step(s);
    EXPECT_EQ(statistics.nonfinite, bad);
    EXPECT_EQ(statistics.finite, 50 - bad);
    EXPECT_EQ(statistics.nonzero, 50 - bad);
    for (const size_t i : {3, 20, 49}) {
      EXPECT_EQ(t.x[i], 1) << i;
      if (signum) {
        EXPECT_EQ(t.m[i], 0.25f) << i;
      }
    }
    EXPECT_EQ(t.x[5], 0) << "a denormal has a sign";
    EXPECT_EQ(t.x[0], 0);
    if (!signum) {
      EXPECT_EQ(statistics.s_dot_v, 46.0 + static_cast<double>(1e-45f));
    }
  }
}

TEST(SignRule, StatisticsOfPlainSignSgdGiveTheProjection) {
  Tensor t = {{0, 0, 0, 0}, {3, -4, 0, 1}, {}};
  SignStep s;
  s.lr = 0.01f;
  s.sums = StepSums::kAll;
  const StepStatistics statistics = t.step(s);
  EXPECT_EQ(statistics.nonzero, 3u);
  EXPECT_EQ(statistics.s_dot_v, 8);
  EXPECT_EQ(statistics.v_dot_v, 26);
  EXPECT_EQ(statistics.u_dot_u, 26);
  EXPECT_DOUBLE_EQ(0.01 * static_cast<double>(statistics.nonzero) / statistics.s_dot_v, 0.00375);

  // Signum with m = (1, 1, 1) and g = (-3, 1, 1): s = (1, 1, 1), s.g = -1, no estimate. b -> 1 keeps m.
  Tensor u = {{0, 0, 0}, {-3, 1, 1}, {1, 1, 1}};
  s.b1 = s.b2 = 0.9f;
  EXPECT_EQ(u.step(s).s_dot_v, -1);
}

TEST(SignRule, LionDecayAndBlend) {
  // Lion: the sign looks at b1, the state moves by b2. Blend: both terms, decay once.
  Tensor t = {{10}, {-1}, {1}};
  SignStep s;
  s.b1 = 0.75f;
  s.b2 = 0.5f;
  s.lr = 0.125f;
  s.decay_factor = 0.5f;
  t.step(s);
  EXPECT_EQ(t.x[0], 5 - 0.125f);
  EXPECT_EQ(t.m[0], 0);

  t = {{10}, {-3}, {1}};
  t.sgd_rate = 0.25f;  // u = 0: no sign step; d = -1
  t.step(s);
  EXPECT_EQ(t.x[0], 5 + 0.25f);
  t.decay = false;  // u = -1.5, d = -2
  t.step(s);
  EXPECT_EQ(t.x[0], 5.25f + 0.125f + 0.5f);

  // The SGD term along the gradient: m and the sign go on as the rule's.
  t = {{10}, {-3}, {1}};
  t.sgd_rate = 0.25f;
  s.sgd_along = SgdAlong::kGradient;
  t.step(s);
  EXPECT_EQ(t.x[0], 5 + 0.75f);
  EXPECT_EQ(t.m[0], -1);
}

// Placement on the gradient: m follows the noise, the square does not. After the sign: s + sigma xi.
TEST(SignRule, PlacementsOfTheNoise) {
  constexpr size_t kN = 100;
  const Stream gaussian(0, Purpose::kGaussian, 3);
  SignStep s;
  s.lr = 1;
  s.step = 3;
  s.sums = StepSums::kSquare;
  s.dither_on = DitherOn::kPost;
  Tensor t = {std::vector<float>(kN, 0.0f), std::vector<float>(kN, 2.0f), {}};
  t.sigma = 0.5f;
  t.step(s);
  for (size_t i = 0; i < kN; ++i) ASSERT_EQ(t.x[i], -(1 + 0.5f * normal_at(gaussian, i)));

  s.dither_on = DitherOn::kGradient;
  s.b1 = s.b2 = 0.5f;
  t.m.assign(kN, 0.0f);
  EXPECT_EQ(t.step(s).u_dot_u, 4.0 * kN);
  for (size_t i = 0; i < kN; ++i) ASSERT_EQ(t.m[i], 0.5f * (2 + 0.5f * normal_at(gaussian, i)));
}

// b m + (1 - b) g and k x - rate d are the places where a compiler would fuse. Here both products round to
// the same number, so the separate result is 0 while fusing either product leaves +-2^-46 or so; one ulp like that
// decides the sign of a step. (lr s is exact, so fusing it would change nothing.)
TEST(SignRule, NothingFuses) {
  constexpr float kAbove = 1 + 0x1p-23f, kBelow = 1 - 0x1p-23f;  // their product is 1 - 2^-46, rounded 1
  ASSERT_NE(std::fma(kAbove, kBelow, -1.0f), 0);
  for_each_target([&] {
    SignStep s;
    s.lr = 1;
    s.b1 = s.b2 = 0.5f + 0x1p-23f;  // 1 - b = 1/2 - 2^-23
    Tensor t = {std::vector<float>(kCopies, 1.0f), std::vector<float>(kCopies, -1 - 0x1p-22f),
                std::vector<float>(kCopies, 1 - 0x1p-22f)};
    t.step(s);
    EXPECT_EQ(t.m, std::vector<float>(kCopies, 0.0f));
    EXPECT_EQ(t.x, std::vector<float>(kCopies, 1.0f)) << "sign(0)";

    SgdPhaseStep sgd;
    sgd.decay_factor = kBelow;
    t = {std::vector<float>(kCopies, kAbove), std::vector<float>(kCopies, kAbove), {}};
    StepTensor tensor;
    tensor.x = t.x.data();
    tensor.g = t.g.data();
    tensor.n = kCopies;
    tensor.sgd_rate = kBelow;
    StepStatistics statistics;
    SerialExecutor serial;
    sgd_phase_step({&tensor, 1}, sgd, {&statistics, 1}, serial);
    EXPECT_EQ(t.x, std::vector<float>(kCopies, 0.0f));
  });
}

}  // namespace
}  // namespace signstep
