// SPDX-License-Identifier: Apache-2.0
#include "signstep/theory/symmetry_test.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <numbers>
#include <vector>

#include "signstep/random/random.h"
#include "signstep/theory/noise.h"

namespace signstep {
namespace {

TEST(TriplesTest, EqualsItsDefinition) {
  SequentialRandom random(Stream(2, Purpose::kProblem));
  for (size_t n = 10; n < 40; ++n) {
    std::vector<float> x(n);
    for (float& v : x) v = static_cast<float>(random.normal());
    if (n % 3 == 0) {  // ties and equal spacing, where triples lean neither way
      for (float& v : x) v = std::round(v * 2);
    }
    const SymmetryTest fast = triples_test(x), slow = triples_test_ref(x);
    ASSERT_DOUBLE_EQ(fast.eta, slow.eta) << n;
    ASSERT_NEAR(fast.z, slow.z, 1e-10) << n;
    for (float& v : x) v = -v;
    ASSERT_NEAR(triples_test(x).z, -fast.z, 1e-10) << "mirrored";
  }
}

TEST(TriplesTest, KnownAnswers) {
  const std::vector<float> even = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
  EXPECT_EQ(triples_test(even).z, 0);
  EXPECT_EQ(triples_test(even).p_value, 1);
  std::vector<float> doubling;
  for (int i = 0; i < 12; ++i) doubling.push_back(std::ldexp(1.0f, i));
  EXPECT_NEAR(triples_test(doubling).eta, 1.0 / 3, 1e-12) << "every triple leans right";
  EXPECT_EQ(triples_test(std::vector<float>(20, 1.5f)).p_value, 1) << "no spread";
}

double rejected(const std::function<double(SequentialRandom&)>& value, size_t n = 256) {
  constexpr uint64_t kSamples = 1000;
  std::vector<float> x(n);
  double count = 0;
  for (uint64_t s = 0; s < kSamples; ++s) {
    SequentialRandom random(Stream(3, Purpose::kProblem, s));
    for (float& v : x) v = static_cast<float>(value(random));
    count += triples_test(x).p_value <= 0.05;
  }
  return count / kSamples;
}

// The header's figures, within three standard errors.
TEST(TriplesTest, LevelAndPowerAt256Draws) {
  const auto gaussian = [](SequentialRandom& r) { return r.normal(); };
  const auto student = [](SequentialRandom& r) { return noise_mean(NoiseKind::kStudentT, 1, r); };
  const auto gamma = [](int shape) {
    return [shape](SequentialRandom& r) {
      double sum = 0;
      for (int i = 0; i < shape; ++i) sum -= std::log(1 - r.uniform());
      return sum;
    };
  };
  const double level = rejected(gaussian), level_t = rejected(student), half = rejected(gamma(16)),
               full = rejected(gamma(1));
  EXPECT_NEAR(level, 0.05, 0.02);
  EXPECT_NEAR(level_t, 0.055, 0.02);
  EXPECT_NEAR(half, 0.79, 0.04);
  EXPECT_GT(full, 0.999);
}

// The header's table: rejected symmetric samples, in percent, within three standard errors.
TEST(TriplesTest, LevelOfSmallSamples) {
  const auto noise = [](NoiseKind kind) { return [kind](SequentialRandom& r) { return noise_mean(kind, 1, r); }; };
  const auto cauchy = [](SequentialRandom& r) { return std::tan(std::numbers::pi * (r.uniform() - 0.5)); };
  const auto check = [](const char* law, const std::function<double(SequentialRandom&)>& value, double at20,
                        double at64) {
    for (const auto& [n, percent] : {std::pair<size_t, double>{20, at20}, {64, at64}}) {
      const double share = percent / 100;
      EXPECT_NEAR(rejected(value, n), share, 3 * std::sqrt(share * (1 - share) / 1000)) << law << " at " << n;
    }
  };
  check("Gaussian", noise(NoiseKind::kGaussian), 5.3, 5.7);
  check("uniform", noise(NoiseKind::kUniform), 6.3, 7.5);
  check("Laplace", noise(NoiseKind::kLaplace), 5.9, 5.9);
  check("t(3)", noise(NoiseKind::kStudentT), 8.3, 6.9);
  check("Cauchy", cauchy, 9.7, 7.8);
  check("two bumps", noise(NoiseKind::kBimodal), 13.7, 7.5);
}

}  // namespace
}  // namespace signstep
