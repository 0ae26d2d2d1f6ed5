// SPDX-License-Identifier: Apache-2.0
// What each problem says it knows, checked without its own formulas.
#include "signstep/theory/problems.h"

#include <gtest/gtest.h>

#include <cmath>

#include "signstep/random/random.h"

namespace signstep {
namespace {

std::vector<std::unique_ptr<Problem>> problems() {
  std::vector<std::unique_ptr<Problem>> all;
  all.push_back(quadratic_problem());
  all.push_back(logistic_problem());
  all.push_back(valley_problem());
  return all;
}

std::vector<double> point(const Problem& p, SequentialRandom& random, double scale) {
  std::vector<double> x(p.dimension());
  for (double& v : x) v = scale * random.normal();
  return x;
}

TEST(Problems, GradientsAreTheSlopesOfTheGap) {
  SequentialRandom random(Stream(1, Purpose::kProblem));
  for (const auto& p : problems()) {
    const std::vector<double> x = point(*p, random, 2);
    std::vector<double> g(x.size());
    p->gradient(x, g);
    for (size_t i = 0; i < x.size(); ++i) {
      std::vector<double> up = x, down = x;
      up[i] += 1e-5;
      down[i] -= 1e-5;
      EXPECT_NEAR((p->gap(up) - p->gap(down)) / 2e-5, g[i], 1e-7) << p->name();
    }
  }
}

TEST(Problems, SmoothnessBoundsEveryStepAndTheDiagonalAloneDoesNot) {
  SequentialRandom random(Stream(2, Purpose::kProblem));
  for (const auto& p : problems()) {
    for (int trial = 0; trial < 200; ++trial) {
      const std::vector<double> x = point(*p, random, 2), d = point(*p, random, trial % 2 == 0 ? 0.01 : 2);
      std::vector<double> g(x.size()), y = x;
      p->gradient(x, g);
      double linear = 0, bound = 0;
      for (size_t i = 0; i < x.size(); ++i) {
        y[i] += d[i];
        linear += g[i] * d[i];
        bound += p->smoothness()[i] * d[i] * d[i] / 2;
      }
      EXPECT_LE(std::fabs(p->gap(y) - p->gap(x) - linear), bound + 1e-12) << p->name();
    }
  }
  // Along alternating signs the couplings of the quadratic all add: more curvature than its diagonal has.
  const auto q = quadratic_problem();
  std::vector<double> d(q->dimension()), g(q->dimension());
  for (size_t i = 0; i < d.size(); ++i) d[i] = i % 2 == 0 ? 1 : -1;
  double diagonal = 0;
  for (size_t i = 0; i < d.size(); ++i) {
    std::vector<double> e(d.size(), 0.0);
    e[i] = 1;
    diagonal += q->gap(e);
  }
  EXPECT_GT(q->gap(d), 1.2 * diagonal);
}

TEST(Problems, TheMinimumIsTheMinimum) {
  for (const auto& p : problems()) {
    std::vector<double> x = p->start(), g(x.size());
    EXPECT_GT(p->first_gap(), 1) << p->name();
    for (int step = 0; step < 40000; ++step) {
      p->gradient(x, g);
      for (size_t i = 0; i < x.size(); ++i) x[i] -= g[i] / p->smoothness()[i];
    }
    EXPECT_NEAR(p->gap(x), 0, 1e-12) << p->name();
  }
}

}  // namespace
}  // namespace signstep
