// SPDX-License-Identifier: Apache-2.0
// Profiles of a made-up network whose gradients, noise and reference error are known.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <numeric>
#include <set>

#include "signstep/parallel/thread_pool.h"
#include "signstep/random/random.h"
#include "signstep/theory/bounds.h"
#include "signstep/theory/dither_law.h"
#include "signstep/theory/noise.h"
#include "signstep/theory/sample_profile.h"

namespace signstep {
namespace {

constexpr size_t kDraws = 200;
const std::vector<TensorRange> kTensors = {{0, 3000}, {3008, 40}, {3072, 300000}};
constexpr size_t kLength = 303072;

// Gaussian noise, except tensor 1: skewed; S from 0.001 to 10; every 1000th coordinate of tensor 2 is dead.
struct Network {
  std::vector<float> g, sigma, reference;
  SignCounts signs;
  CoordinateMoments moments;
  CoordinateSample sample;

  explicit Network(double reference_error, Executor& executor)
      : g(kLength),
        sigma(kLength),
        reference(kLength),
        signs(kLength),
        moments(kLength),
        sample(kTensors, 64, kDraws, 7) {
    SequentialRandom random(Stream(8, Purpose::kProblem));
    for (const TensorRange& t : kTensors) {
      for (size_t i = t.offset; i < t.offset + t.size; ++i) {
        const bool dead = t.size > 3000 && i % 1000 == 0;
        sigma[i] = dead ? 0 : static_cast<float>(std::exp(random.normal()));
        g[i] = dead ? 0 : static_cast<float>(sigma[i] * std::pow(10.0, 4 * random.uniform() - 3) * (i % 2 ? 1 : -1));
        reference[i] = static_cast<float>(g[i] + reference_error * sigma[i] * random.normal());
      }
    }
    for (size_t k = 0; k < kDraws; ++k) {
      std::vector<float> draw(kLength);
      for (size_t t = 0; t < kTensors.size(); ++t) {
        const NoiseKind kind = t == 1 ? NoiseKind::kSkewed : NoiseKind::kGaussian;
        for (size_t i = kTensors[t].offset; i < kTensors[t].offset + kTensors[t].size; ++i)
          draw[i] = static_cast<float>(g[i] + sigma[i] * noise_mean(kind, 1, random));
      }
      moments.add(draw, executor);
      signs.add(draw, executor);
      sample.add(draw);
    }
  }
  Draws draws() const { return {reference, moments, signs, true}; }
};

class ProfileTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    SerialExecutor serial;
    network = new Network(0.1, serial);
  }
  static void TearDownTestSuite() { delete network; }
  static inline Network* network = nullptr;
  SerialExecutor serial_;
};

TEST_F(ProfileTest, TheReferenceErrorIsMeasured) {
  EXPECT_NEAR(reference_variance(network->draws(), kTensors, serial_), 0.01, 0.0005);
  const auto rms = gradient_rms(network->draws(), kTensors, serial_);
  const SampleProfile p = sample_profile(network->sample, network->reference, 3, 0.01, rms, serial_);
  // 168 coordinates, independent here: each (mean - reference)^2 / sigma^2 has mean 0.015 and about as much spread.
  EXPECT_GT(p.reference_variance_error, 0.0002);
  EXPECT_LT(p.reference_variance_error, 0.003);
  Draws dependent = network->draws();
  dependent.independent = false;
  EXPECT_DOUBLE_EQ(reference_variance(dependent, kTensors, serial_), 1.0 / kDraws);
}

TEST_F(ProfileTest, TheFiguresAreThoseOfTheMadeUpNetwork) {
  const auto rms = gradient_rms(network->draws(), kTensors, serial_);
  const double variance = reference_variance(network->draws(), kTensors, serial_);
  const auto profiles = snr_profiles(network->draws(), kTensors, variance, rms, serial_);
  const SnrProfile& p = profiles[2];
  double squares = 0, l1 = 0, noise = 0, weighted = 0, high = 0;
  for (size_t i = 3072; i < kLength; ++i) {
    const double s = signal_to_noise(network->g[i], network->sigma[i]);
    squares += std::pow(network->g[i], 2);
    l1 += std::fabs(network->g[i]);
    noise += std::pow(network->sigma[i], 2);
    weighted += std::fabs(network->g[i]) * snr_weight(s);
    high += s > kGaussKnee;
  }
  EXPECT_EQ(p.coordinates, 300000);
  EXPECT_EQ(p.silent, 300);
  EXPECT_EQ(profiles[1].coordinates, 40);
  EXPECT_NEAR(p.squares, squares, 0.01 * squares);
  EXPECT_NEAR(p.l1, l1, 0.02 * l1);
  EXPECT_GT(p.l1_raw, 1.01 * l1) << "what is debiased away";
  EXPECT_NEAR(p.noise, noise, 0.01 * noise);
  EXPECT_NEAR(p.weighted, weighted, 0.01 * weighted);
  EXPECT_NEAR(p.high, high, 0.01 * high);
  EXPECT_NEAR(p.promised[0], p.weighted, 1e-9 * p.weighted);
  EXPECT_NEAR(rms[2], std::sqrt((squares + noise + 0.01 * noise) / 300000), 0.01 * rms[2]);
  EXPECT_NEAR(p.skewness_square / p.with_noise, 0, 0.005);
  EXPECT_NEAR(p.kurtosis / p.with_noise, 0, 0.05);
  EXPECT_NEAR(profiles[1].skewness_square / 40, 4.0 / 3, 0.3);
  // Gaussian failures are Phi(-S), under the bound; bins above five times the reference error are right to 2 points.
  double counted = p.silent + p.below_floor;
  for (size_t b = 0; b < kSnrBins; ++b) {
    counted += p.bins[b].count;
    if (p.bins[b].count == 0 || snr_bin_edge(b) < 0.5) continue;
    const double rate = p.bins[b].failures / p.bins[b].count, middle = snr_bin_edge(b) * std::pow(10, 0.125);
    EXPECT_NEAR(rate, 0.5 * std::erfc(middle / std::sqrt(2.0)), 0.02) << b;
    EXPECT_LT(rate, p.bins[b].bound / p.bins[b].count) << b;
  }
  EXPECT_EQ(counted, 300000);
}

TEST_F(ProfileTest, ThreadsChangeNoBit) {
  ThreadPool pool(3);
  const Network again(0.1, pool);
  const auto rms = gradient_rms(network->draws(), kTensors, serial_),
             rms3 = gradient_rms(again.draws(), kTensors, pool);
  EXPECT_EQ(rms, rms3);
  const auto a = snr_profiles(network->draws(), kTensors, 0.01, rms, serial_);
  const auto b = snr_profiles(again.draws(), kTensors, 0.01, rms, pool);
  for (size_t t = 0; t < a.size(); ++t) EXPECT_EQ(std::memcmp(&a[t], &b[t], sizeof a[t]), 0) << t;
  const SampleProfile one = sample_profile(network->sample, network->reference, 3, 0.01, rms, serial_);
  const SampleProfile three = sample_profile(again.sample, again.reference, 3, 0.01, rms, pool);
  for (size_t l = 0; l < kLevels; ++l) EXPECT_EQ(one.gain[l].mean, three.gain[l].mean);
  EXPECT_EQ(one.tensors[2].symmetric, three.tensors[2].symmetric);
}

TEST_F(ProfileTest, TheSampleIsSeededAndWeighted) {
  const CoordinateSample& s = network->sample;
  EXPECT_EQ(s.size(), 64u + 40 + 64);
  std::set<size_t> distinct;
  double weight = 0;
  for (size_t i = 0; i < s.size(); ++i) {
    const TensorRange& t = kTensors[s.tensor(i)];
    EXPECT_TRUE(s.coordinate(i) >= t.offset && s.coordinate(i) < t.offset + t.size);
    distinct.insert(s.coordinate(i));
    weight += s.weight(i);
  }
  EXPECT_EQ(distinct.size(), s.size());
  EXPECT_NEAR(weight, 303040, 1e-6);
  const CoordinateSample same(kTensors, 64, 1, 7), other(kTensors, 64, 1, 8);
  EXPECT_EQ(same.coordinate(3), s.coordinate(3));
  EXPECT_NE(other.coordinate(3), s.coordinate(3));
}

TEST_F(ProfileTest, ShapesAndDitherOnTheSample) {
  const auto rms = gradient_rms(network->draws(), kTensors, serial_);
  const SampleProfile p = sample_profile(network->sample, network->reference, 3, 0.01, rms, serial_);
  EXPECT_GE(p.tensors[2].symmetric, 0.85 * p.tensors[2].tested);
  EXPECT_EQ(p.tensors[2].unimodal, p.tensors[2].tested);
  EXPECT_EQ(p.tensors[1].symmetric, 0) << "two points, 1/4 and 3/4";
  EXPECT_EQ(p.tensors[1].tested, 40);
  EXPECT_NEAR(p.tensors[0].tested, 3000, 1e-6) << "64 stand for all";
  // Under symmetric noise dither only costs: the descent falls with each level, and the gain is its fall.
  for (size_t l = 2; l < kLevels; ++l) EXPECT_LT(p.descent[l].mean, p.descent[l - 1].mean);
  EXPECT_EQ(p.gain[0].mean, 0);
  EXPECT_NEAR(p.gain[4].mean, p.descent[4].mean - p.descent[0].mean, 1e-9 * p.descent[0].mean);
  EXPECT_LT(p.gain[4].mean + 3 * p.gain[4].standard_error(), 0);
  EXPECT_EQ(p.descent[0].n, kDraws);
  for (size_t b = 12; b < 18; ++b) EXPECT_TRUE(p.failure_error[b] >= 0 && p.failure_error[b] < 0.2) << b;
  EXPECT_TRUE(std::isnan(p.failure_error[kSnrBins - 1])) << "no coordinate there";
}

// 64 coordinates stand for 9,216: over samples the means scatter as their errors say, whole tensors have the draws'
// error alone, and K draws of a rho of 0 make one of no more than their scatter.
TEST(Profile, ErrorsHoldTheChoiceOfCoordinates) {
  SerialExecutor serial;
  constexpr size_t n = 9216, k = 12, samples = 30;
  const std::vector<TensorRange> tensors = {{0, n}};
  SequentialRandom random(Stream(3, Purpose::kProblem));
  std::vector<float> g(n), draw(n);
  for (float& v : g) v = static_cast<float>(random.normal());
  SignCounts signs(n);
  CoordinateMoments moments(n);
  std::vector<CoordinateSample> some;
  for (size_t s = 0; s < samples; ++s) some.emplace_back(tensors, 64, k, s);
  CoordinateSample whole(tensors, n, k, 1);
  for (size_t j = 0; j < k; ++j) {
    for (size_t i = 0; i < n; ++i) draw[i] = g[i] + static_cast<float>(random.normal());
    moments.add(draw, serial);
    signs.add(draw, serial);
    for (CoordinateSample& s : some) s.add(draw);
    whole.add(draw);
  }
  const Draws draws{g, moments, signs, true};
  EXPECT_NEAR(reference_variance(draws, tensors, serial), 0, 0.004);  // 0.02 with the draws' own variance below it
  const auto rms = gradient_rms(draws, tensors, serial);
  const SampleProfile all = sample_profile(whole, g, 1, 0, rms, serial);
  EXPECT_DOUBLE_EQ(all.descent_error[2], all.descent[2].standard_error());
  for (const size_t level : {0, 4}) {
    double off = 0, error = 0, gain_off = 0, gain_error = 0;
    for (const CoordinateSample& s : some) {
      const SampleProfile p = sample_profile(s, g, 1, 0, rms, serial);
      off += std::pow(p.descent[level].mean - all.descent[level].mean, 2) / samples;
      error += std::pow(p.descent_error[level], 2) / samples;
      gain_off += std::pow(p.gain[level].mean - all.gain[level].mean, 2) / samples;
      gain_error += std::pow(p.gain_error[level], 2) / samples;
    }
    EXPECT_GT(std::sqrt(error / off), 0.7) << level;
    EXPECT_LT(std::sqrt(error / off), 1.5) << level;
    if (level == 0) continue;
    EXPECT_GT(std::sqrt(gain_error / gain_off), 0.7);
    EXPECT_LT(std::sqrt(gain_error / gain_off), 1.5);
  }
}

// A reference that is off by as much as the signal: its square would double what is promised, and make predicted a
// multiple of what is measured. S is 0.05, the error of the reference 0.1 of sigma.
TEST(Profile, TheReferencesErrorDoesNotEnterSquared) {
  SerialExecutor serial;
  constexpr size_t n = 40000, k = 100;
  const std::vector<TensorRange> tensors = {{0, n}};
  SequentialRandom random(Stream(5, Purpose::kProblem));
  std::vector<float> g(n, 0.05f), reference(n), draw(n);
  for (float& v : reference) v = static_cast<float>(0.05 + 0.1 * random.normal());
  SignCounts signs(n);
  CoordinateMoments moments(n);
  CoordinateSample sample(tensors, 1000, k, 1);
  for (size_t j = 0; j < k; ++j) {
    for (size_t i = 0; i < n; ++i) draw[i] = g[i] + static_cast<float>(random.normal());
    moments.add(draw, serial);
    signs.add(draw, serial);
    sample.add(draw);
  }
  const Draws draws{reference, moments, signs, true};
  const double variance = reference_variance(draws, tensors, serial);
  EXPECT_NEAR(variance, 0.01, 0.001);
  const auto rms = gradient_rms(draws, tensors, serial);
  const SnrProfile p = snr_profiles(draws, tensors, variance, rms, serial)[0];
  const SampleProfile s = sample_profile(sample, reference, 1, variance, rms, serial);
  const double square = 0.05 * 0.05;
  EXPECT_NEAR(p.squares / n, square, 0.1 * square);
  EXPECT_NEAR(p.weighted / n, square / std::sqrt(3.0), 0.1 * square);
  const double descent = 0.05 * std::erf(0.05 / std::sqrt(2.0));
  EXPECT_NEAR(p.predicted[0] / n, descent, 0.1 * descent);
  EXPECT_NEAR(s.descent[0].mean / n, descent, 4 * s.descent_error[0] / n);
  for (const size_t level : {2, 4}) {
    const double all = std::hypot(1, kDitherLevels[level] * rms[0]);
    EXPECT_NEAR(p.promised[level] / n, square / (all * std::sqrt(3.0)), 0.1 * square / all);
    EXPECT_NEAR(p.predicted[level] / n, 0.05 * std::erf(0.05 / (all * std::sqrt(2.0))), 0.1 * descent / all);
  }
}

// u = b1 m + (1 - b1) g of a long average, by its weights.
TEST(DitherLaw, NoiseOfAnAverage) {
  EXPECT_EQ(average_noise(0, 0), 1);
  EXPECT_DOUBLE_EQ(average_noise(0.9, 0.9), 0.1 / 1.9);
  for (const auto& [b1, b2] : {std::pair{0.9, 0.99}, std::pair{0.5, 0.9}, std::pair{0.95, 0.95}}) {
    double sum = (1 - b1) * (1 - b1), weight = b1 * (1 - b2);
    for (int age = 0; age < 5000; ++age, weight *= b2) sum += weight * weight;
    EXPECT_NEAR(average_noise(b1, b2), sum, 1e-12);
  }
}

// The counterexample, many times over: dither turns a climb into a descent, and both estimates see it.
TEST(Profile, SkewedNoiseMakesDitherPay) {
  SerialExecutor serial;
  constexpr size_t n = 500;
  const std::vector<TensorRange> tensors = {{0, n}};
  std::vector<float> g(n, 0.25f), draw(n);
  SignCounts signs(n);
  CoordinateMoments moments(n);
  CoordinateSample sample(tensors, n, 400, 1);
  SequentialRandom random(Stream(1, Purpose::kProblem));
  for (int k = 0; k < 400; ++k) {
    for (float& v : draw) v = random.below(4) == 0 ? 4.0f : -1.0f;
    moments.add(draw, serial);
    signs.add(draw, serial);
    sample.add(draw);
  }
  const Draws draws{g, moments, signs, true};
  const auto rms = gradient_rms(draws, tensors, serial);
  EXPECT_NEAR(rms[0], std::sqrt(4.75), 0.05);
  const SnrProfile p = snr_profiles(draws, tensors, 0, rms, serial)[0];
  const SampleProfile s = sample_profile(sample, g, 1, 0, rms, serial);
  EXPECT_NEAR(s.descent[0].mean / (n * 0.25), -0.5, 0.01);
  const double two = std::sqrt(4.75) * 2;  // level 2
  const double exact = 0.25 * std::erf(4 / two / std::sqrt(2.0)) - 0.75 * std::erf(1 / two / std::sqrt(2.0));
  EXPECT_NEAR(s.descent[4].mean / (n * 0.25), exact, 0.005);
  EXPECT_NEAR(p.predicted[4] / (n * 0.25), exact, 0.01);
  EXPECT_GT(s.gain[4].mean, 10 * s.gain[4].standard_error());
  EXPECT_LT(p.fixed_point[4], p.fixed_point[0] / 4);
  EXPECT_NEAR(p.bins[snr_bin(0.25 / 2.165)].failures / n, 0.75, 0.01);
}

TEST(Profile, PowerGrowsWithTheDraws) {
  const ShapePower few = shape_power(64), many = shape_power(256);
  EXPECT_LT(many.gaussian_asymmetric, 0.12);
  EXPECT_LT(many.gaussian_multimodal, 0.05);
  EXPECT_GT(many.skewness_half, few.skewness_half);
  EXPECT_GT(many.skewness_one, 0.99);
  EXPECT_GT(many.bumps3, few.bumps3);
  EXPECT_GT(many.bumps4, 0.97);
  EXPECT_EQ(shape_power(5).bumps4, 0);
}

}  // namespace
}  // namespace signstep
