// SPDX-License-Identifier: Apache-2.0
#include "signstep/optim/optimizer.h"

#include <cstring>

#include "signstep/optim/rules/rules.h"
#include "signstep/optim/rules/sign.h"
#include "signstep/parallel/pieces.h"
#include "signstep/parallel/thread_pool.h"
#include "tests/optim/fixtures.h"

namespace signstep {
namespace {

// An empty tensor, one of a single element, gaps between tensors, and one longer than a task.
const std::vector<TensorSlot> kSlots = {{0, 3}, {8, 0}, {8, 1}, {16, kPieceElements + 5}, {kPieceElements + 32, 100}};
const size_t kFlat = kPieceElements + 132;

struct Trained {
  std::vector<float> x;
  OptimizerState state;
  uint64_t nonfinite = 0;
};

Trained train(const std::string& name, Executor& executor, int steps = 3) {
  const auto rule = make_rule(OptimizerOptions(name));
  static const std::vector<float> draws = normals(kFlat + 16, 1);
  Trained run{{draws.begin(), draws.begin() + kFlat}, make_state(*rule, kFlat, kSlots.size())};
  for (int t = 0; t < steps; ++t) {
    std::vector<float> g(draws.begin() + t + 1, draws.begin() + t + 1 + kFlat);  // new at every step
    g[1] = g[20] = std::nanf("");
    g[5] = std::nanf("");  // between tensors: nobody's
    run.nonfinite += optimizer_step(*rule, run.state, kSlots, run.x, g, 1.0 / (t + 1), executor).nonfinite;
  }
  return run;
}

void expect_same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  ASSERT_EQ(a.size(), b.size());
  EXPECT_TRUE(a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0);
}

TEST(Optimizer, TheFirstNonFiniteTensorIsNamed) {
  for (const char* name : {"signum", "sgd", "adam"}) {
    const auto rule = make_rule(OptimizerOptions(name));
    std::vector<float> x(kFlat), g(kFlat);
    g[kFlat - 1] = g[20] = g[kPieceElements + 20] =
        std::nanf("");  // of the last tensor, and in two tasks of the one before
    ThreadPool pool(3);
    OptimizerState state = make_state(*rule, kFlat, kSlots.size());
    const StepReport report = optimizer_step(*rule, state, kSlots, x, g, 1, pool);
    EXPECT_EQ(report.nonfinite, 3u);
    EXPECT_EQ(report.first_nonfinite, 3u) << name;
  }
}

TEST(Optimizer, AnyThreadCountGivesTheSameBits) {
  for (const std::string& name : standard_rules().names()) {
    SerialExecutor serial;
    const Trained expected = train(name, serial);
    EXPECT_EQ(expected.nonfinite, 6u);
    EXPECT_EQ(expected.state.step, 3u);
    for (const size_t threads : {1, 2, 3, 8}) {
      SCOPED_TRACE(testing::Message() << name << ", " << threads << " threads");
      ThreadPool pool(threads);
      const Trained seen = train(name, pool);
      EXPECT_EQ(seen.nonfinite, expected.nonfinite);
      expect_same_bits(seen.x, expected.x);
      ASSERT_EQ(seen.state.buffers.size(), expected.state.buffers.size());
      for (size_t b = 0; b < seen.state.buffers.size(); ++b)
        expect_same_bits(seen.state.buffers[b].values, expected.state.buffers[b].values);
    }
  }
}

TEST(Optimizer, WhatLiesBetweenTensorsIsLeftAlone) {
  SerialExecutor serial;
  const Trained run = train("signum", serial);
  const std::vector<float> start = normals(kFlat, 1);
  for (const size_t i : {3, 5, 7, 9, 15}) EXPECT_EQ(run.x[i], start[i]) << i;
  EXPECT_NE(run.x[8], start[8]);
}

TEST(Optimizer, StateIsWhatTheRuleNeeds) {
  using Names = std::vector<std::string>;
  const auto kept = [](const char* rule, const OptimizerOptions::Values& values = {}) {
    Names names;
    for (const StateBuffer& buffer : make_state(*make_rule(OptimizerOptions(rule, values)), 10, 1).buffers) {
      EXPECT_EQ(buffer.values, std::vector<float>(10));
      names.push_back(buffer.name);
    }
    return names;
  };
  EXPECT_EQ(kept("signsgd"), Names{});
  EXPECT_EQ(kept("signum"), Names{"m"});
  EXPECT_EQ(kept("signum", {{"momentum", "0"}}), Names{});
  EXPECT_EQ(kept("lion"), Names{"m"});
  EXPECT_EQ(kept("sgd"), Names{"m"});
  EXPECT_EQ(kept("sgd", {{"momentum", "0"}}), Names{});
  EXPECT_EQ(kept("adam"), (Names{"m", "v"}));
  EXPECT_EQ(kept("adamw"), (Names{"m", "v"}));
  EXPECT_FALSE(make_state(*make_rule(OptimizerOptions("adam")), 10, 1).extra.has_value())
      << "nothing of the sign rules";
}

TEST(Optimizer, TheFactorScalesRateAndDecayAlike) {
  const auto rule =
      make_rule(OptimizerOptions("signsgd", {{"learning_rate", "0.5"}, {"decoupled_weight_decay", "0.5"}}));
  OptimizerState state = make_state(*rule, 1, 1);
  std::vector<float> x{8};
  SerialExecutor serial;
  optimizer_step(*rule, state, std::vector<TensorSlot>{{0, 1}}, x, std::vector{1.0f}, 0.5, serial);
  EXPECT_EQ(x[0], 8 * (1 - 0.25f * 0.5f) - 0.25f);
  optimizer_step(*rule, state, std::vector<TensorSlot>{{0, 1}}, x, std::vector{1.0f}, 0.0, serial);
  EXPECT_EQ(x[0], 6.75f) << "a factor of 0 moves nothing";
}

// StoSignSGD by options: x moves by lr sign(m + G xi), and its mean by lr m / G.
TEST(Optimizer, AMaximumIsStateAndScalesTheDither) {
  SerialExecutor serial;
  for (const DitherOn on : {DitherOn::kUpdate, DitherOn::kMean}) {
    const auto rule =
        make_sign_rule(make_update_plan({.learning_rate = 0.25, .momentum = 0.5, .decoupled_weight_decay = 0.0},
                                        {.dither = DitherKind::kMaximum,
                                         .dither_shape = DitherShape::kConstant,
                                         .dither_on = on,
                                         .dither_noise = DitherNoise::kUniform},
                                        {}, 3, 1000));
    OptimizerState state = make_state(*rule, 2, 1);
    const std::span<float> maximum = state.buffer("maximum");
    ASSERT_EQ(maximum.size(), 2u);
    std::vector<float> x{0, 0};
    const auto step = [&](float a, float b) {
      optimizer_step(*rule, state, std::vector<TensorSlot>{{0, 2}}, x, std::vector{a, b}, 1, serial);
    };
    step(8, -2);  // m = 4, -1: its own maximum, so the sign is certain
    EXPECT_EQ(x, (std::vector<float>{-0.25f, 0.25f}));
    EXPECT_THAT(maximum, testing::ElementsAre(4, 1));
    step(-2, -1);  // m = 1, -1
    EXPECT_THAT(maximum, testing::ElementsAre(4, 1));
    if (on == DitherOn::kMean) {
      EXPECT_EQ(x, (std::vector<float>{-0.25f - 0.25f * 0.25f, 0.5f}));
    }
  }
  const auto relative = make_rule(OptimizerOptions(), {.dither = DitherKind::kRelative});
  EXPECT_TRUE(make_state(*relative, 2, 1).buffer("maximum").empty());
}

TEST(Optimizer, AFactorThatIsNoneIsRefusedBeforeAnythingMoves) {
  SerialExecutor serial;
  for (const std::string& name : standard_rules().names()) {
    const auto rule = make_rule(OptimizerOptions(name));
    OptimizerState state = make_state(*rule, 1, 1);
    std::vector<float> x{8};
    for (const double factor : {-1.0, std::nan(""), HUGE_VAL}) {
      EXPECT_THAT(option_error([&] {
                    optimizer_step(*rule, state, std::vector<TensorSlot>{{0, 1}}, x, std::vector{1.0f}, factor, serial);
                  }),
                  testing::HasSubstr("wanted a rate of at least 0 that float32 holds"))
          << name << " " << factor;
    }
    EXPECT_EQ(x[0], 8);
    EXPECT_EQ(state.step, 0u);
  }
}

TEST(Optimizer, SignumWithoutMomentumIsSignSgd) {
  SerialExecutor serial;
  const auto run = [&](const SignOptions& o) {
    const auto rule = make_sign_rule(make_update_plan(o));
    OptimizerState state = make_state(*rule, 50, 1);
    std::vector<float> x = normals(50, 1);
    for (uint64_t t = 0; t < 5; ++t)
      optimizer_step(*rule, state, std::vector<TensorSlot>{{0, 50}}, x, normals(50, t), 1, serial);
    return x;
  };
  expect_same_bits(
      run({.optimizer = SignKind::kSignum, .learning_rate = .1, .momentum = 0.0, .decoupled_weight_decay = .1}),
      run({.optimizer = SignKind::kSignSgd, .learning_rate = .1, .decoupled_weight_decay = .1}));
}

TEST(Optimizer, ASmallQuadraticIsMinimised) {
  SerialExecutor serial;
  for (const std::string& name : standard_rules().names()) {
    OptimizerOptions o(name, {{"learning_rate", "0.02"}});
    if (name != "adam") o.set("decoupled_weight_decay", "0");
    if (name == "sgd") o.set("l2_penalty", "0");
    const auto rule = make_rule(o);
    OptimizerState state = make_state(*rule, 2, 1);
    std::vector<float> x{1, -2};
    for (int t = 0; t < 500; ++t)
      optimizer_step(*rule, state, std::vector<TensorSlot>{{0, 2}}, x, std::vector{x[0], 2 * x[1]}, 1 - t / 500.0,
                     serial);
    EXPECT_NEAR(x[0], 0, 1e-2) << name;
    EXPECT_NEAR(x[1], 0, 1e-2) << name;
  }
}

}  // namespace
}  // namespace signstep
