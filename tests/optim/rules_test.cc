// SPDX-License-Identifier: Apache-2.0
// Each rule against its equation, on plain spans.

#include <cstring>
#include <limits>

#include "signstep/kernels/sign_kernel.h"
#include "signstep/optim/rules/adam.h"
#include "signstep/optim/rules/sgd.h"
#include "tests/optim/fixtures.h"

namespace signstep {
namespace {

using testing::ElementsAre;

constexpr size_t kElements = 203;
constexpr int kSteps = 20;
constexpr float kNan = std::numeric_limits<float>::quiet_NaN(), kInf = std::numeric_limits<float>::infinity();

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0);
}

// Steps spans and naive rules side by side on the same gradients and compares every x.
template <class Naive, class SpanStep>
void expect_equation(const Naive& start, SpanStep span_step) {
  std::vector<float> x = normals(kElements, 1), m(kElements), v(kElements);
  std::vector<Naive> naive(kElements, start);
  std::vector<double> expected(x.begin(), x.end());
  for (int t = 1; t <= kSteps; ++t) {
    const std::vector<float> g = normals(kElements, 100 + static_cast<uint64_t>(t));
    EXPECT_EQ(span_step(t, std::span(x), std::span<const float>(g), std::span(m), std::span(v)), 0u);
    for (size_t i = 0; i < kElements; ++i) expected[i] = naive[i].step(expected[i], g[i]);
  }
  for (size_t i = 0; i < kElements; ++i) ASSERT_NEAR(x[i], expected[i], 2e-5) << i;
}

struct SignRule {
  float lr, b1, b2, decay_factor;
};

// The sign kernel on one tensor, in the form of the other rules.
uint64_t sign_step(const SignRule& rule, std::span<float> x, std::span<const float> g, std::span<float> m) {
  const SignStep step{.b1 = rule.b1, .b2 = rule.b2, .lr = rule.lr, .decay_factor = rule.decay_factor};
  const StepTensor tensor{.x = x.data(), .g = g.data(), .m = m.empty() ? nullptr : m.data(), .n = x.size()};
  StepStatistics sums;
  sign_step_ref({&tensor, 1}, step, {&sums, 1});
  return sums.nonfinite;
}

auto sign_with(float lr, float b1, float b2, float decay_factor) {
  return [=](int, std::span<float> x, std::span<const float> g, std::span<float> m, std::span<float>) {
    return sign_step({lr, b1, b2, decay_factor}, x, g, m);
  };
}

auto sgd_with(HeavyBall rule) {
  return [=](int, std::span<float> x, std::span<const float> g, std::span<float> m, std::span<float>) {
    return heavy_ball_step(rule, x, g, m);
  };
}

auto adam_with(float lr, float l2, float decay_factor) {
  return [=](int t, std::span<float> x, std::span<const float> g, std::span<float> m, std::span<float> v) {
    return adam_step({lr, 0.9f, 0.999f, 1e-8f, l2, decay_factor, 1 - std::pow(0.9, t), 1 - std::pow(0.999, t)}, x, g, m,
                     v);
  };
}

TEST(Rules, FollowTheirEquations) {
  expect_equation(NaiveSign{.lr = 0.01, .b1 = 0, .b2 = 0, .decay = 0.5}, sign_with(0.01f, 0, 0, 0.995f));
  expect_equation(NaiveSign{.lr = 0.01, .b1 = 0.9, .b2 = 0.9, .decay = 0.5}, sign_with(0.01f, 0.9f, 0.9f, 0.995f));
  expect_equation(NaiveSign{.lr = 0.01, .b1 = 0.9, .b2 = 0.99}, sign_with(0.01f, 0.9f, 0.99f, 1));
  expect_equation(NaiveSgd{.lr = 0.1, .momentum = 0, .l2 = 0}, sgd_with({0.1f, 0, 0, 1, false}));
  expect_equation(NaiveSgd{.lr = 0.1, .momentum = 0.9, .l2 = 0.05}, sgd_with({0.1f, 0.9f, 0.05f, 1, false}));
  expect_equation(NaiveSgd{.lr = 0.1, .momentum = 0.9, .l2 = 0, .decay = 0.5, .nesterov = true},
                  sgd_with({0.1f, 0.9f, 0, 0.95f, true}));
  expect_equation(NaiveAdam{.lr = 0.01, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8, .l2 = 0.05},
                  adam_with(0.01f, 0.05f, 1));
  expect_equation(NaiveAdam{.lr = 0.01, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8, .l2 = 0, .decay = 0.5},
                  adam_with(0.01f, 0, 0.995f));
}

TEST(Rules, SignumAndSignSgdGiveTheKnownAnswers) {
  std::vector<float> signum, signsgd, m{0}, none, x{0}, y{0};
  for (const float g : {1.0f, 1.0f, -3.0f, -1.0f, 0.0f, 0.5f}) {
    sign_step({1, 0.9f, 0.9f, 1}, x, std::vector{g}, m);
    sign_step({1, 0, 0, 1}, y, std::vector{g}, none);
    signum.push_back(x[0]);
    signsgd.push_back(y[0]);
  }
  EXPECT_THAT(signum, ElementsAre(-1, -2, -1, 0, 1, 2));
  EXPECT_THAT(signsgd, ElementsAre(-1, -2, -1, 0, 0, -1));
}

TEST(Rules, SignOfEitherZeroTakesNoStepButDecays) {
  std::vector<float> x{2, 2}, none;
  EXPECT_EQ(sign_step({1, 0, 0, 0.5f}, x, std::vector{0.0f, -0.0f}, none), 0u);
  EXPECT_THAT(x, ElementsAre(1, 1));
}

TEST(Rules, TheSmallestGradientCountsAsMuchAsTheLargest) {
  constexpr float kTiny = std::numeric_limits<float>::denorm_min(), kHuge = std::numeric_limits<float>::max();
  std::vector<float> x{0, 0, 0, 0}, none;
  sign_step({1, 0, 0, 1}, x, std::vector{kTiny, -kTiny, kHuge, -kHuge}, none);
  EXPECT_THAT(x, ElementsAre(-1, 1, -1, 1));
}

TEST(Rules, NonFiniteCoordinatesAreSkippedAndCounted) {
  const std::vector<float> g{1, kNan, kInf, -kInf, -1};
  const std::vector<float> x0{1, 2, 3, 4, 5}, m0{.1f, .2f, .3f, .4f, .5f};
  const auto check = [&](auto step, const char* name) {
    std::vector<float> x = x0, m = m0, v = m0;
    EXPECT_EQ(step(x, m, v), 3u) << name;
    for (size_t i = 1; i <= 3; ++i) {
      EXPECT_EQ(x[i], x0[i]) << name << ": no step and no decay";
      EXPECT_EQ(m[i], m0[i]) << name;
      EXPECT_EQ(v[i], m0[i]) << name;
    }
    EXPECT_NE(x[0], x0[0]) << name;
    EXPECT_NE(x[4], x0[4]) << name;
  };
  std::vector<float> none;
  check([&](auto& x, auto&, auto&) { return sign_step({.1f, 0, 0, .9f}, x, g, none); }, "SignSGD");
  check([&](auto& x, auto& m, auto&) { return sign_step({.1f, .9f, .9f, .9f}, x, g, m); }, "Signum");
  check([&](auto& x, auto&, auto&) { return heavy_ball_step({.1f, 0, 0, .9f, false}, x, g, none); }, "SGD");
  check([&](auto& x, auto& m, auto&) { return heavy_ball_step({.1f, .9f, .1f, .9f, true}, x, g, m); }, "SGD, Nesterov");
  check(
      [&](auto& x, auto& m, auto& v) {
        return adam_step({.1f, .9f, .9f, 1e-8f, .1f, .9f, .1, .1}, x, g, m, v);
      },
      "Adam");
}

// A gradient that float holds and an average, or a square, that it does not.
TEST(Rules, AStateThatOverflowsIsSkippedAndCounted) {
  constexpr float kHuge = std::numeric_limits<float>::max();
  const std::vector<float> g{kHuge, 1};
  std::vector<float> x{2, 2}, m{kHuge, 0}, v{1, 0};
  EXPECT_EQ(heavy_ball_step({.1f, .9f, 0, .9f, false}, x, g, m), 1u);
  EXPECT_EQ(x[0], 2);
  EXPECT_EQ(m[0], kHuge);
  EXPECT_NE(x[1], 2);

  x = {2, 2}, m = {kHuge / 2, 0};
  EXPECT_EQ(heavy_ball_step({.1f, .9f, 0, .9f, true}, x, std::vector{kHuge / 2, 1.f}, m), 1u) << "its step does";
  EXPECT_EQ(m[0], kHuge / 2);

  x = {2, 2}, m = {0, 0};
  EXPECT_EQ(adam_step({.1f, .9f, .999f, 1e-8f, 0, .9f, .1, .001}, x, std::vector{1e30f, 1.f}, m, v), 1u);
  EXPECT_EQ(x[0], 2);
  EXPECT_EQ(m[0], 0);
  EXPECT_EQ(v[0], 1);
}

TEST(Rules, AnyCutGivesTheSameBits) {
  const std::vector<float> g = normals(kElements, 5, 1e-3);
  const std::vector<float> x0 = normals(kElements, 6), m0 = normals(kElements, 7, 1e-3);
  const auto run = [&](size_t piece, auto step) {
    std::vector<float> x = x0, m = m0, v(kElements, 1e-6f);
    for (size_t at = 0; at < kElements; at += piece) {
      const size_t n = std::min(piece, kElements - at);
      step(std::span(x).subspan(at, n), std::span<const float>(g).subspan(at, n), std::span(m).subspan(at, n),
           std::span(v).subspan(at, n));
    }
    x.insert(x.end(), m.begin(), m.end());
    x.insert(x.end(), v.begin(), v.end());
    return x;
  };
  const auto sign = [](auto x, auto gr, auto m, auto) { return sign_step({1e-3f, .9f, .99f, .999f}, x, gr, m); };
  const auto sgd = [](auto x, auto gr, auto m, auto) { return heavy_ball_step({.1f, .9f, 5e-4f, 1, true}, x, gr, m); };
  const auto adam = [](auto x, auto gr, auto m, auto v) {
    return adam_step({1e-3f, .9f, .999f, 1e-8f, 1e-4f, 1, .1, .001}, x, gr, m, v);
  };
  for (const size_t piece : {1, 3, 8, 16, 31, 64, 202}) {
    EXPECT_TRUE(same_bits(run(piece, sign), run(kElements, sign))) << piece;
    EXPECT_TRUE(same_bits(run(piece, sgd), run(kElements, sgd))) << piece;
    EXPECT_TRUE(same_bits(run(piece, adam), run(kElements, adam))) << piece;
  }
}

TEST(Rules, NoElementsIsNoStep) {
  std::vector<float> none;
  EXPECT_EQ(sign_step({1, 0, 0, 1}, none, none, none), 0u);
  EXPECT_EQ(heavy_ball_step({1, 0, 0, 1, false}, none, none, none), 0u);
}

}  // namespace
}  // namespace signstep
