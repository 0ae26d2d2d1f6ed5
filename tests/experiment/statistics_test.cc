// SPDX-License-Identifier: Apache-2.0
#include "signstep/experiment/statistics.h"

#include <gmock/gmock.h>

#include <cmath>
#include <vector>

namespace signstep {
namespace {

using testing::DoubleNear;
using testing::ElementsAre;

TEST(Statistics, StudentQuantilesOfTheTables) {
  const struct {
    double p, df, t;
  } known[] = {{0.975, 1, 12.706204736174698},  {0.975, 2, 4.302652729749464},   {0.975, 4, 2.776445105197793},
               {0.975, 10, 2.2281388519862744}, {0.975, 30, 2.0422724563012378}, {0.995, 5, 4.032142983555228},
               {0.95, 9, 1.8331129326562368},   {0.999, 3, 10.214531852407387}};
  for (const auto& k : known) {
    EXPECT_NEAR(student_quantile(k.p, k.df), k.t, 1e-12 * k.t) << k.df;
    EXPECT_NEAR(student_quantile(1 - k.p, k.df), -k.t, 1e-12 * k.t);
    EXPECT_NEAR(student_cdf(k.t, k.df), k.p, 1e-12);
  }
}

TEST(Statistics, StudentCdfHasClosedFormsAtOneAndTwoDegrees) {
  for (const double t : {-30.0, -2.5, -0.1, 0.0, 0.7, 1.0, 4.0, 1000.0}) {
    EXPECT_NEAR(student_cdf(t, 1), 0.5 + std::atan(t) / M_PI, 1e-13) << t;
    EXPECT_NEAR(student_cdf(t, 2), 0.5 + t / (2 * std::sqrt(2 + t * t)), 1e-13) << t;
  }
}

// Student's own example (1908): hours of sleep gained by ten patients under two drugs; R's t.test gives these figures.
TEST(Statistics, PairedDifferenceOfStudentsSleepData) {
  const std::vector<double> first = {0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0};
  const std::vector<double> second = {1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4};
  const PairedDifference d = paired_difference(first, second);
  EXPECT_EQ(d.n, 10u);
  EXPECT_NEAR(d.mean, -1.58, 1e-12);
  EXPECT_NEAR(d.low, -2.4598858, 1e-7);
  EXPECT_NEAR(d.high, -0.7001142, 1e-7);
  EXPECT_NEAR(d.p, 0.002833, 5e-7);
}

TEST(Statistics, PairsWithAGapAreLeftOut) {
  const std::vector<double> a = {1, NAN, 3, 4}, b = {0, 5, NAN, 2};
  const PairedDifference d = paired_difference(a, b);
  EXPECT_EQ(d.n, 2u);
  EXPECT_DOUBLE_EQ(d.mean, 1.5);
  const std::vector<double> one = {2}, other = {1};
  EXPECT_DOUBLE_EQ(paired_difference(one, other).mean, 1);
  EXPECT_TRUE(std::isnan(paired_difference(one, other).p));
  const std::vector<double> same = {1, 2, 3}, shifted = {2, 3, 4};
  EXPECT_EQ(paired_difference(same, same).p, 1);
  EXPECT_EQ(paired_difference(shifted, same).p, 0);
}

// Worked by hand: sorted .005 .01 .03 .04 times 4 3 2 1 is .02 .03 .06 .04, whose running maximum is .02 .03 .06 .06.
TEST(Statistics, HolmWorkedExample) {
  EXPECT_THAT(holm({0.01, 0.04, 0.03, 0.005}), ElementsAre(DoubleNear(0.03, 1e-15), DoubleNear(0.06, 1e-15),
                                                           DoubleNear(0.06, 1e-15), DoubleNear(0.02, 1e-15)));
  const std::vector<double> corrected = holm({0.4, NAN, 0.5});
  EXPECT_DOUBLE_EQ(corrected[0], 0.8);
  EXPECT_TRUE(std::isnan(corrected[1]));
  EXPECT_DOUBLE_EQ(corrected[2], 0.8);
  EXPECT_THAT(holm({0.7, 0.6}), ElementsAre(1, 1));
  EXPECT_TRUE(holm({}).empty());
}

}  // namespace
}  // namespace signstep
