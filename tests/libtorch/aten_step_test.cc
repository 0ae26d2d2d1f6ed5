// SPDX-License-Identifier: Apache-2.0
// Tensor operations against the kernels: the same bits without noise, the same law with it.
#include "signstep/libtorch/aten_step.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cmath>
#include <limits>

#include "signstep/core/normal_cdf.h"
#include "signstep/core/thread_pool.h"

namespace signstep {
namespace {

constexpr int64_t kElements = 5000;

// Gradients with zeros of both signs, a denormal, an infinity and a NaN among them.
at::Tensor gradient() {
  at::Tensor g = torch::randn({kElements}, torch::kFloat);
  g[7] = 0.0f;
  g[8] = -0.0f;
  g[9] = 1e-42f;
  g[10] = std::numeric_limits<float>::infinity();
  g[11] = std::nanf("");
  return g;
}

StepTensor kernel_view(const AtenTensor& t, float sigma = 0, float sgd_rate = 0) {
  StepTensor out;
  out.x = t.x.data_ptr<float>();
  out.g = t.g.data_ptr<float>();
  out.m = t.m.defined() ? t.m.data_ptr<float>() : nullptr;
  out.n = static_cast<size_t>(t.x.numel());
  out.sigma = sigma;
  out.sgd_rate = sgd_rate;
  return out;
}

AtenTensor copy_of(const AtenTensor& t) {
  return {t.x.clone(), t.g.clone(), t.m.defined() ? t.m.clone() : at::Tensor()};
}

void expect_same_bits(const at::Tensor& a, const at::Tensor& b) {
  EXPECT_EQ(std::memcmp(a.data_ptr(), b.data_ptr(), a.numel() * a.element_size()), 0);
}

void expect_same(const StepStatistics& seen, const StepStatistics& wanted) {
  EXPECT_EQ(seen.finite, wanted.finite);
  EXPECT_EQ(seen.nonfinite, wanted.nonfinite);
  EXPECT_EQ(seen.nonzero, wanted.nonzero);
  EXPECT_NEAR(seen.s_dot_v, wanted.s_dot_v, 1e-10 * std::abs(wanted.s_dot_v));
  EXPECT_NEAR(seen.v_dot_v, wanted.v_dot_v, 1e-10 * wanted.v_dot_v);
  EXPECT_NEAR(seen.u_dot_u, wanted.u_dot_u, 1e-10 * wanted.u_dot_u);
}

struct Rule {
  const char* name;
  float b1, b2, sgd_rate;
  bool state;
};
constexpr Rule kRules[] = {{"SignSGD", 0, 0, 0, false},
                           {"Signum", 0.9f, 0.9f, 0, true},
                           {"Lion", 0.9f, 0.99f, 0, true},
                           {"blend", 0.9f, 0.8f, 0.05f, true},
                           {"blend without state", 0, 0, 0.05f, false}};

TEST(AtenStep, WithoutNoiseTheBitsAreTheKernels) {
  torch::manual_seed(1);
  const at::NoGradGuard no_grad;
  SerialExecutor serial;
  for (const Rule& rule : kRules) {
    for (const ZeroPolicy zero : {ZeroPolicy::kSkip, ZeroPolicy::kPlus}) {
      for (const ProductsWith with : {ProductsWith::kGradient, ProductsWith::kMomentum}) {
        SCOPED_TRACE(rule.name);
        SignStep step;
        step.b1 = rule.b1;
        step.b2 = rule.b2;
        step.lr = 0.01f;
        step.keep = 0.999f;
        step.zero = zero;
        step.sums = StepSums::kAll;
        step.products_with = with;
        const AtenTensor ours{torch::randn({kElements}), gradient(),
                              rule.state ? torch::randn({kElements}) : at::Tensor()};
        const AtenTensor theirs = copy_of(ours);
        const StepTensor numbers = kernel_view(theirs, 0, rule.sgd_rate);
        StepStatistics wanted, measured;
        sign_measure({&numbers, 1}, step, {&measured, 1}, serial);
        expect_same(statistics_of(aten_sign_measure(ours, step)), measured);
        for (int t = 0; t < 3; ++t) {
          sign_step({&numbers, 1}, step, {&wanted, 1}, serial);
          expect_same(statistics_of(aten_sign_step(ours, numbers, step)), wanted);
        }
        expect_same_bits(ours.x, theirs.x);
        if (rule.state) expect_same_bits(ours.m, theirs.m);
      }
    }
  }
}

TEST(AtenStep, TheSgdPhaseHasTheBitsOfItsKernel) {
  torch::manual_seed(2);
  const at::NoGradGuard no_grad;
  SerialExecutor serial;
  for (const bool state : {false, true}) {
    const SgdStep step{
        .mu = state ? 0.9f : 0, .keep = 0.999f, .products = true, .products_with = ProductsWith::kMomentum};
    const AtenTensor ours{torch::randn({kElements}), gradient(), state ? torch::randn({kElements}) : at::Tensor()};
    const AtenTensor theirs = copy_of(ours);
    const StepTensor numbers = kernel_view(theirs, 0, 0.05f);
    StepStatistics wanted;
    sgd_step({&numbers, 1}, step, {&wanted, 1}, serial);
    expect_same(statistics_of(aten_sgd_step(ours, numbers, step)), wanted);
    expect_same_bits(ours.x, theirs.x);
    if (state) expect_same_bits(ours.m, theirs.m);
  }
}

// m to rounding, and the same sign wherever |u| is above it.
TEST(AtenStep, DoubleFollowsTheKernelToItsRounding) {
  torch::manual_seed(3);
  const at::NoGradGuard no_grad;
  SerialExecutor serial;
  SignStep step;
  step.b1 = step.b2 = 0.9f;
  step.lr = 0.01f;
  AtenTensor single{torch::randn({kElements}), {}, torch::zeros({kElements})};
  const AtenTensor wide{single.x.to(torch::kDouble), torch::empty({kElements}, torch::kDouble),
                        torch::zeros({kElements}, torch::kDouble)};
  for (int t = 0; t < 50; ++t) {
    single.g = torch::randn({kElements});
    wide.g.copy_(single.g);
    const at::Tensor before = single.x.clone(), wide_before = wide.x.clone();
    const StepTensor numbers = kernel_view(single);
    StepStatistics statistics;
    sign_step({&numbers, 1}, step, {&statistics, 1}, serial);
    aten_sign_step(wide, numbers, step);
    ASSERT_LE((wide.m - single.m).abs().max().item<double>(), 1e-6);
    const at::Tensor clear = wide.m.abs() > 1e-6;
    const at::Tensor a = (single.x - before).sign(), b = (wide.x - wide_before).sign();
    ASSERT_TRUE(a.masked_select(clear).equal(b.masked_select(clear).to(torch::kFloat)));
    ASSERT_GT(clear.sum().item<int64_t>(), kElements - 10);
  }
}

// bf16 and half: computed in float32, so m has the kernel's bits and x those of the kernel's x, rounded.
TEST(AtenStep, NarrowTypesAreComputedInFloat32) {
  torch::manual_seed(4);
  const at::NoGradGuard no_grad;
  SerialExecutor serial;
  for (const at::ScalarType type : {torch::kBFloat16, torch::kHalf}) {
    SignStep step;
    step.b1 = step.b2 = 0.9f;
    step.lr = 0.01f;
    const AtenTensor narrow{torch::randn({kElements}).to(type), torch::randn({kElements}).to(type),
                            torch::randn({kElements})};
    const AtenTensor single{narrow.x.to(torch::kFloat), narrow.g.to(torch::kFloat), narrow.m.clone()};
    const StepTensor numbers = kernel_view(single);
    StepStatistics statistics;
    sign_step({&numbers, 1}, step, {&statistics, 1}, serial);
    aten_sign_step(narrow, numbers, step);
    expect_same_bits(narrow.m, single.m);
    expect_same_bits(narrow.x, single.x.to(type));
  }
}

// x after one step of rate 1 from 0, negated: the signs (post: the noisy ones).
at::Tensor signs(const at::Tensor& u, SignStep step, float sigma, uint32_t index) {
  step.lr = 1;
  StepTensor numbers;
  numbers.index = index;
  numbers.sigma = sigma;
  const AtenTensor t{torch::zeros_like(u), u, {}};
  aten_sign_step(t, numbers, step);
  return -t.x;
}

// As DitherLaw.ChiSquareOverTenMillionDraws for the kernels: 10^7 draws in 100 groups by u / sigma. Chi-square of 100
// lies between 61.9 and 149.4 in 99.8 %.
TEST(AtenStep, DitherHasTheLawOfTheKernels) {
  const at::NoGradGuard no_grad;
  for (const at::ScalarType type : {torch::kFloat, torch::kDouble}) {
    double chi2 = 0;
    constexpr int64_t kDraws = 100'000;
    for (int group = 0; group < 100; ++group) {
      const float z = static_cast<float>((group - 49.5) / 20);
      const at::Tensor s =
          signs(torch::full({kDraws}, z * 0.37, type), {.seed = 9, .step = 7}, 0.37f, static_cast<uint32_t>(group));
      ASSERT_EQ(s.abs().min().item<double>(), 1);
      const double p = normal_cdf(z), deviation = (s.to(torch::kDouble).mean().item<double>() + 1) / 2 - p;
      chi2 += deviation * deviation * kDraws / (p * (1 - p));
    }
    EXPECT_GT(chi2, 61.9);
    EXPECT_LT(chi2, 149.4);
  }
}

TEST(AtenStep, NoiseOnTheGradientAndAfterTheSign) {
  const at::NoGradGuard no_grad;
  constexpr int64_t kDraws = 1'000'000;
  SignStep step{.b1 = 0.5f, .b2 = 0.5f, .dither_on = DitherOn::kGradient, .sums = StepSums::kSquare};
  StepTensor numbers;
  numbers.sigma = 2;
  const AtenTensor t{torch::zeros({kDraws}), torch::full({kDraws}, 3.0f), torch::zeros({kDraws})};
  EXPECT_NEAR(statistics_of(aten_sign_step(t, numbers, step)).u_dot_u, 9.0 * kDraws, 1e-3) << "of the noise-free g";
  EXPECT_NEAR(t.m.mean().item<double>(), 1.5, 4.5 * 1 / 1e3) << "(3 + 2 xi) / 2";
  EXPECT_NEAR(t.m.std().item<double>(), 1, 4.5 / std::sqrt(2e6));

  const at::Tensor post = signs(torch::full({kDraws}, 3.0f), {.dither_on = DitherOn::kPost}, 0.5f, 0);
  EXPECT_NEAR(post.mean().item<double>(), 1, 4.5 * 0.5 / 1e3);
  EXPECT_NEAR(post.std().item<double>(), 0.5, 4.5 * 0.5 / std::sqrt(2e6));
}

TEST(AtenStep, DrawsDependOnSeedStepAndTensorAndOnNothingElse) {
  const at::NoGradGuard no_grad;
  torch::manual_seed(5);
  const at::Tensor zero = torch::zeros({100'000});
  const SignStep step{.zero = ZeroPolicy::kRandom, .seed = 1, .step = 2};
  SignStep next = step;
  ++next.step;
  const auto mean = [](const at::Tensor& a) { return a.mean().item<double>(); };
  for (const float sigma : {0.0f, 1.0f}) {  // the coin of sign(0), and dither
    const at::Tensor s = signs(zero, step, sigma, 3);
    EXPECT_NEAR(mean(s), 0, 4.5 / std::sqrt(1e5));
    EXPECT_TRUE(s.equal(signs(zero, step, sigma, 3)));
    for (const at::Tensor& other : {signs(zero, next, sigma, 3), signs(zero, step, sigma, 4)})
      EXPECT_NEAR(mean(s * other), 0, 4.5 / std::sqrt(1e5));
  }
  const at::Tensor after = torch::randn({8});
  torch::manual_seed(5);
  EXPECT_TRUE(after.equal(torch::randn({8}))) << "the user's generator stays where it was";
}

}  // namespace
}  // namespace signstep
