// SPDX-License-Identifier: Apache-2.0
// Tensor operations against the kernels.
#include "signstep/libtorch/aten_step.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cmath>
#include <limits>

#include "signstep/parallel/thread_pool.h"

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

StepTensor kernel_view(const AtenTensor& t, double sigma = 0, double sgd_rate = 0) {
  StepTensor out;
  out.x = t.x.data_ptr<float>();
  out.g = t.g.data_ptr<float>();
  out.m = t.m.defined() ? t.m.data_ptr<float>() : nullptr;
  out.maximum = t.maximum.defined() ? t.maximum.data_ptr<float>() : nullptr;
  out.n = static_cast<size_t>(t.x.numel());
  out.sigma = sigma;
  out.sgd_rate = sgd_rate;
  return out;
}

AtenTensor copy_of(const AtenTensor& t) {
  return {t.x.clone(), t.g.clone(), t.m.defined() ? t.m.clone() : at::Tensor(), {}};
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
        step.decay_factor = 0.999f;
        step.zero = zero;
        step.sums = StepSums::kAll;
        step.products_with = with;
        step.sgd_along = with == ProductsWith::kGradient ? SgdAlong::kGradient : SgdAlong::kAverage;
        const AtenTensor ours{
            torch::randn({kElements}), gradient(), rule.state ? torch::randn({kElements}) : at::Tensor(), {}};
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
  for (const auto& [state, l2] : {std::pair{false, 0.0f}, {true, 0.0f}, {false, 0.01f}, {true, 0.01f}}) {
    const SgdPhaseStep step{.mu = state ? 0.9f : 0,
                            .decay_factor = 0.999f,
                            .l2 = l2,
                            .products = true,
                            .products_with = ProductsWith::kMomentum};
    const AtenTensor ours{torch::randn({kElements}), gradient(), state ? torch::randn({kElements}) : at::Tensor(), {}};
    const AtenTensor theirs = copy_of(ours);
    const StepTensor numbers = kernel_view(theirs, 0, 0.05f);
    StepStatistics wanted;
    sgd_phase_step({&numbers, 1}, step, {&wanted, 1}, serial);
    expect_same(statistics_of(aten_sgd_phase_step(ours, numbers, step)), wanted);
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

// Every placement of noise, on a strided tensor and in the narrow types: the draws are the kernels' own.
TEST(AtenStep, NoiseOnTheCpuHasTheBitsOfTheKernels) {
  torch::manual_seed(6);
  const at::NoGradGuard no_grad;
  SerialExecutor serial;
  struct Place {
    DitherOn on;
    DitherNoise noise = DitherNoise::kGaussian;
    bool scaled = false;
  };
  for (const auto& [on, noise, scaled] :
       {Place{DitherOn::kUpdate}, Place{DitherOn::kGradient}, Place{DitherOn::kPost}, Place{DitherOn::kMean},
        Place{DitherOn::kMean, DitherNoise::kUniform}, Place{DitherOn::kUpdate, DitherNoise::kUniform},
        Place{DitherOn::kUpdate, DitherNoise::kUniform, true}, Place{DitherOn::kUpdate, DitherNoise::kGaussian, true},
        Place{DitherOn::kMean, DitherNoise::kGaussian, true}}) {
    for (const float sigma : {0.0f, 0.7f}) {
      for (const at::ScalarType type : {torch::kFloat, torch::kBFloat16}) {
        SCOPED_TRACE(testing::Message() << static_cast<int>(on) << ' ' << sigma << ' ' << type);
        SignStep step{
            .b1 = 0.9, .b2 = 0.99, .lr = 0.01, .decay_factor = 0.999, .zero = ZeroPolicy::kRandom, .dither_on = on};
        step.noise = noise;
        step.sums = StepSums::kAll;
        step.seed = 5;
        step.step = 77;
        const at::Tensor g = gradient().to(type), x = torch::randn({kElements}).to(type);
        const at::Tensor maximum = scaled ? at::clamp(torch::randn({kElements}), 0) : at::Tensor();
        const AtenTensor ours{torch::zeros({kElements, 3}, type).select(1, 1).copy_(x), g, torch::zeros({kElements}),
                              scaled ? maximum.clone() : at::Tensor()};
        const AtenTensor theirs{x.to(torch::kFloat), g.to(torch::kFloat), torch::zeros({kElements}), maximum};
        StepTensor numbers = kernel_view(theirs, sigma);
        numbers.index = 3;
        StepStatistics wanted;
        sign_step({&numbers, 1}, step, {&wanted, 1}, serial);
        expect_same(statistics_of(aten_sign_step(ours, numbers, step)), wanted);
        expect_same_bits(ours.x.contiguous(), theirs.x.to(type));
        expect_same_bits(ours.m, theirs.m);
        if (scaled) expect_same_bits(ours.maximum, theirs.maximum);
      }
    }
  }
}

// 0.001f and 0.9f are other numbers; 1 - 1e-8 is 1 in float.
TEST(AtenStep, DoubleTakesTheStepsNumbersUnrounded) {
  const at::NoGradGuard no_grad;
  const SignStep step{.b1 = 0.9, .b2 = 0.99, .lr = 1e-3, .decay_factor = 1 - 1e-8};
  StepTensor numbers;
  numbers.sgd_rate = 1e-5;
  const AtenTensor t{torch::ones({4}, torch::kDouble), torch::full({4}, 3.0, torch::kDouble),
                     torch::full({4}, 2.0, torch::kDouble)};
  aten_sign_step(t, numbers, step);
  const double m = 0.99 * 2 + (1 - 0.99) * 3;
  EXPECT_EQ(t.m[0].item<double>(), m);
  EXPECT_EQ(t.x[0].item<double>(), (1 - 1e-8) - 1e-3 - 1e-5 * m);

  const AtenTensor d{torch::ones({4}, torch::kDouble), t.g, torch::full({4}, 2.0, torch::kDouble)};
  aten_sgd_phase_step(d, numbers, {.mu = 0.9, .decay_factor = 1 - 1e-8});
  EXPECT_EQ(d.x[0].item<double>(), (1 - 1e-8) - 1e-5 * (0.9 * 2 + (1 - 0.9) * 3));
}

}  // namespace
}  // namespace signstep
