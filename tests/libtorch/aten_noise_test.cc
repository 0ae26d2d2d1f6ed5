// SPDX-License-Identifier: Apache-2.0
// The draws of tensor operations: their law, and what they depend on. aten_step_test.cc holds those of the CPU against
// the kernels' bits; the generator's, which other devices use, are drawn here from the CPU's generator.
#include "signstep/libtorch/aten_noise.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <algorithm>
#include <cmath>

#include "signstep/random/normal_cdf.h"

namespace signstep {
namespace {

using Make = std::unique_ptr<AtenNoise> (*)(const SignStep&, uint32_t);
std::unique_ptr<AtenNoise> from_generator(const SignStep& step, uint32_t index) {
  return generator_noise(step, index, at::kCPU);
}
constexpr Make kMakes[] = {counter_noise, from_generator};

at::Tensor number(double value) { return torch::scalar_tensor(value, torch::kDouble); }

double mean_of(const at::Tensor& a) { return a.mean().item<double>(); }

// As DitherLaw.ChiSquareOverTenMillionDraws for the kernels: 10^7 draws in 100 groups by u / sigma. Chi-square of 100
// lies between 61.9 and 149.4 in 99.8 %.
TEST(AtenNoise, SignsHaveTheLawOfTheKernels) {
  constexpr int64_t kDraws = 100'000;
  for (const Make make : kMakes) {
    for (const at::ScalarType type : {torch::kFloat, torch::kDouble}) {
      double chi2 = 0;
      for (int group = 0; group < 100; ++group) {
        const double z = (group - 49.5) / 20;
        const auto noise = make({.seed = 9, .step = 7}, static_cast<uint32_t>(group));
        const at::Tensor s = noise->signs(torch::full({kDraws}, z * 0.37, type), number(0.37), DitherNoise::kGaussian);
        ASSERT_EQ(s.scalar_type(), type);
        ASSERT_EQ(s.abs().min().item<double>(), 1);
        const double p = normal_cdf(z), deviation = (mean_of(s.to(torch::kDouble)) + 1) / 2 - p;
        chi2 += deviation * deviation * kDraws / (p * (1 - p));
      }
      EXPECT_GT(chi2, 61.9);
      EXPECT_LT(chi2, 149.4);
    }
  }
}

TEST(AtenNoise, UniformLawAndMeans) {
  constexpr int64_t kDraws = 200'000;
  for (const Make make : kMakes) {
    for (const at::ScalarType type : {torch::kFloat, torch::kDouble}) {
      for (const double z : {-1.5, -0.7, 0.0, 0.2, 1.0}) {
        const at::Tensor u = torch::full({kDraws}, z * 0.37, type), sigma = torch::full({kDraws}, 0.37, type);
        for (const DitherNoise law : {DitherNoise::kUniform, DitherNoise::kGaussian}) {
          const double exact = law == DitherNoise::kUniform ? std::clamp(z, -1.0, 1.0) : 2 * normal_cdf(z) - 1;
          const at::Tensor s = make({.seed = 4}, 2)->signs(u, sigma, law), means = make({}, 0)->means(u, sigma, law);
          EXPECT_EQ(means.scalar_type(), type);
          EXPECT_NEAR(mean_of(s), exact, 4.5 * std::sqrt((1 - exact * exact) / kDraws) + 1e-6);
          EXPECT_NEAR(means[0].item<double>(), exact, 1e-6);
        }
      }
    }
  }
}

TEST(AtenNoise, NormalNumbersAndCoins) {
  constexpr int64_t kDraws = 1'000'000;
  for (const Make make : kMakes) {
    for (const at::ScalarType type : {torch::kFloat, torch::kDouble}) {
      const at::Tensor like = torch::empty({1000, kDraws / 1000}, type);
      const at::Tensor xi = make({.seed = 3}, 0)->normal(like), coins = make({.seed = 3}, 0)->coins(like);
      EXPECT_EQ(xi.sizes(), like.sizes());
      EXPECT_EQ(xi.scalar_type(), type);
      EXPECT_NEAR(mean_of(xi), 0, 4.5 / 1e3);
      EXPECT_NEAR(xi.std().item<double>(), 1, 4.5 / std::sqrt(2e6));
      EXPECT_EQ(coins.abs().min().item<double>(), 1);
      EXPECT_NEAR(mean_of(coins), 0, 4.5 / 1e3);
    }
  }
}

TEST(AtenNoise, DependsOnSeedStepAndTensorAndOnNothingElse) {
  torch::manual_seed(5);
  const at::Tensor zero = torch::zeros({100'000});
  for (const Make make : kMakes) {
    const SignStep step{.seed = 1, .step = 2};
    const auto all = [&](const SignStep& of, uint32_t index) {
      return std::vector<at::Tensor>{make(of, index)->signs(zero, number(1), DitherNoise::kGaussian),
                                     make(of, index)->coins(zero), make(of, index)->normal(zero)};
    };
    const auto draws = all(step, 3);
    const int threads = at::get_num_threads();
    at::set_num_threads(1);
    const auto again = all(step, 3);
    at::set_num_threads(threads);
    for (const auto& others : {all({.seed = 2, .step = 2}, 3), all({.seed = 1, .step = 3}, 3), all(step, 4)}) {
      for (size_t k = 0; k < 3; ++k) {
        EXPECT_TRUE(draws[k].equal(again[k]));
        EXPECT_NEAR(mean_of(draws[k] * others[k]), 0, 4.5 / std::sqrt(1e5));
      }
    }
  }
  const at::Tensor after = torch::randn({8});
  torch::manual_seed(5);
  EXPECT_TRUE(after.equal(torch::randn({8}))) << "the user's generator stays where it was";
}

// The CPU's generator reads 32 bits of its seed, so among some 10^5 steps two drew alike.
TEST(AtenNoise, TwoStepsNeverDrawAlike) {
  const at::Tensor zero = torch::zeros({1000});
  const auto signs = [&](uint64_t step) {
    return noise_for(at::kCPU, {.step = step}, 0)->signs(zero, number(1), DitherNoise::kGaussian);
  };
  EXPECT_FALSE(signs(33822).equal(signs(52669)));
}

// A number is its element's own, whatever the length: pieces and groups that are cut short draw the same.
TEST(AtenNoise, AShorterTensorDrawsTheBeginningOfALongerOne) {
  const auto draw = [](int64_t n) {
    const at::Tensor zero = torch::zeros({n});
    const auto noise = counter_noise({.seed = 8}, 1);
    return torch::stack(
        {noise->signs(zero, number(1), DitherNoise::kGaussian), noise->normal(zero), noise->coins(zero)});
  };
  const at::Tensor whole = draw(100'000);
  for (const int64_t n : {0, 1, 7, 8, 9, 31, 33, 129, 4095, 4096, 4097, 40'003})
    EXPECT_TRUE(draw(n).equal(whole.narrow(1, 0, n))) << n;
}

}  // namespace
}  // namespace signstep
