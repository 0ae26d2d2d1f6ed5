// SPDX-License-Identifier: Apache-2.0
// The theorem on problems with known answers: mean over 20 fixed seeds, so the tests repeat to the bit.
#include <gtest/gtest.h>

#include <cmath>

#include "signstep/theory/bounds.h"
#include "signstep/theory/moments.h"
#include "signstep/theory/sign_descent.h"

namespace signstep {
namespace {

struct Point {
  Moments weighted, l1, gap;  // over the seeds; gap over the first one
};

Point measure(const Problem& problem, NoiseKind noise, uint32_t batch, uint64_t steps, double dither = 0) {
  Point point;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    const DescentResult r = sign_descent(
        problem,
        {.noise = noise,
         .batch = batch,
         .dither = dither,
         .steps = steps,
         .learning_rate = best_learning_rate(problem.first_gap(), problem.l1_smoothness(), static_cast<double>(steps)),
         .seed = seed});
    point.weighted.add(r.weighted);
    point.l1.add(r.l1);
    point.gap.add(r.final_gap / problem.first_gap());
  }
  return point;
}

double bound(const Problem& problem, uint64_t steps) {
  return best_rate_bound(problem.first_gap(), problem.l1_smoothness(), static_cast<double>(steps));
}

struct Slope {
  double n = 0, x = 0, y = 0, xx = 0, xy = 0;
  void add(uint64_t steps, double value) {
    const double u = std::log(static_cast<double>(steps)), v = std::log(value);
    n += 1, x += u, y += v, xx += u * u, xy += u * v;
  }
  double value() const { return (n * xy - x * y) / (n * xx - x * x); }
};

TEST(Rate, HoldsAtEveryLengthWithTheStatedSlopeWhereTheAssumptionsHold) {
  for (const auto& problem : {quadratic_problem(), logistic_problem()}) {
    for (const NoiseKind noise : all_noises()) {
      if (!is_symmetric_unimodal(noise)) continue;
      for (const uint32_t batch : {1u, 16u}) {
        uint64_t steps = 64;
        Point point = measure(*problem, noise, batch, steps);
        while (point.gap.mean > 0.07) point = measure(*problem, noise, batch, steps *= 2);
        Slope weighted, l1;
        for (const uint64_t end = steps * 16; steps <= end; steps *= 2) {
          point = measure(*problem, noise, batch, steps);
          const double limit = bound(*problem, steps);
          EXPECT_LE(point.weighted.mean / limit, 1 + 3 * point.weighted.standard_error() / limit)
              << problem->name() << " " << noise_name(noise) << " batch " << batch << " K " << steps;
          EXPECT_LE(point.gap.mean, 0.0701);
          weighted.add(steps, point.weighted.mean);
          l1.add(steps, point.l1.mean);
        }
        EXPECT_NEAR(weighted.value(), -0.5, 0.05) << problem->name() << " " << noise_name(noise) << " batch " << batch;
        EXPECT_GT(l1.value(), -0.42) << "the l1 norm does not fall as K^-1/2";
      }
    }
  }
}

TEST(Rate, IsBrokenByOtherNoiseAtBatchOne) {
  for (const auto& problem : {quadratic_problem(), logistic_problem()}) {
    for (const NoiseKind noise : {NoiseKind::kSkewed, NoiseKind::kBimodal}) {
      const uint64_t steps = 4096;
      const Point point = measure(*problem, noise, 1, steps);
      EXPECT_GT(point.weighted.mean - 10 * point.weighted.standard_error(), 1.3 * bound(*problem, steps))
          << problem->name() << " " << noise_name(noise);
    }
  }
}

TEST(Rate, TheCounterexampleClimbsAndDitherBringsItBack) {
  const auto valley = valley_problem();
  EXPECT_GT(measure(*valley, NoiseKind::kSkewed, 1, 4000).gap.mean, 10) << "plain SignSGD walks uphill";
  EXPECT_GT(measure(*valley, NoiseKind::kSkewed, 1, 4000, 1).gap.mean, 5) << "too little dither";
  const Point rescued = measure(*valley, NoiseKind::kSkewed, 1, 16000, 4);
  EXPECT_LT(rescued.gap.mean, 0.2);
  EXPECT_LT(rescued.weighted.mean, bound(*valley, 16000));
}

// Dither keeps the theorem true where its assumptions hold, with S that counts it.
TEST(Rate, HoldsWithDither) {
  const auto problem = quadratic_problem();
  for (const double dither : {0.5, 2.0}) {
    for (const uint64_t steps : {256u, 2048u}) {
      const Point point = measure(*problem, NoiseKind::kLaplace, 1, steps, dither);
      const double limit = bound(*problem, steps);
      EXPECT_LE(point.weighted.mean / limit, 1 + 3 * point.weighted.standard_error() / limit);
    }
  }
}

TEST(Rate, ARunIsAFunctionOfItsOptions) {
  const auto problem = quadratic_problem();
  const DescentOptions o{
      .noise = NoiseKind::kStudentT, .batch = 3, .dither = 0.1, .steps = 50, .learning_rate = 0.1, .curve_every = 7};
  const DescentResult a = sign_descent(*problem, o), b = sign_descent(*problem, o);
  EXPECT_EQ(a.weighted, b.weighted);
  EXPECT_EQ(a.curve, b.curve);
  EXPECT_EQ(a.curve.size(), 9u);
  EXPECT_EQ(a.curve.front(), problem->first_gap());
  EXPECT_EQ(a.curve.back(), a.final_gap);
}

}  // namespace
}  // namespace signstep
