// SPDX-License-Identifier: Apache-2.0
#include "signstep/optim/optimizer.h"

#include <cstring>

#include "signstep/optim/span_rules.h"
#include "signstep/parallel/pieces.h"
#include "signstep/parallel/thread_pool.h"
#include "tests/optim/fixtures.h"

namespace signstep {
namespace {

using enum OptimizerKind;

// An empty tensor, one of a single element, gaps between tensors, and one longer than a task.
const std::vector<TensorSlot> kSlots = {{0, 3}, {8, 0}, {8, 1}, {16, kPieceElements + 5}, {kPieceElements + 32, 100}};
const size_t kFlat = kPieceElements + 132;

struct Trained {
  std::vector<float> x;
  OptimizerState state;
  uint64_t nonfinite = 0;
};

Trained train(OptimizerKind kind, Executor& executor, int steps = 3) {
  const UpdatePlan plan = make_update_plan({.optimizer = kind});
  static const std::vector<float> draws = normals(kFlat + 16, 1);
  Trained run{{draws.begin(), draws.begin() + kFlat}, make_state(plan, kFlat, kSlots.size())};
  for (int t = 0; t < steps; ++t) {
    std::vector<float> g(draws.begin() + t + 1, draws.begin() + t + 1 + kFlat);  // new at every step
    g[1] = g[20] = std::nanf("");
    g[5] = std::nanf("");  // between tensors: nobody's
    run.nonfinite += optimizer_step(plan, run.state, kSlots, run.x, g, 1.0 / (t + 1), executor).nonfinite;
  }
  return run;
}

void expect_same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  ASSERT_EQ(a.size(), b.size());
  EXPECT_TRUE(a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0);
}

TEST(Optimizer, TheFirstNonFiniteTensorIsNamed) {
  for (const OptimizerKind kind : {kSignum, kSgd, kAdam}) {
    const UpdatePlan plan = make_update_plan({.optimizer = kind});
    std::vector<float> x(kFlat), g(kFlat);
    g[kFlat - 1] = g[20] = g[kPieceElements + 20] =
        std::nanf("");  // of the last tensor, and in two tasks of the one before
    ThreadPool pool(3);
    OptimizerState state = make_state(plan, kFlat, kSlots.size());
    const StepReport report = optimizer_step(plan, state, kSlots, x, g, 1, pool);
    EXPECT_EQ(report.nonfinite, 3u);
    EXPECT_EQ(report.first_nonfinite, 3u) << display_name(kind);
  }
}

TEST(Optimizer, AnyThreadCountGivesTheSameBits) {
  for (const OptimizerKind kind : {kSignSgd, kSignum, kLion, kSgd, kAdam, kAdamW}) {
    SerialExecutor serial;
    const Trained expected = train(kind, serial);
    EXPECT_EQ(expected.nonfinite, 6u);
    EXPECT_EQ(expected.state.step, 3u);
    for (const size_t threads : {1, 2, 3, 8}) {
      SCOPED_TRACE(testing::Message() << display_name(kind) << ", " << threads << " threads");
      ThreadPool pool(threads);
      const Trained seen = train(kind, pool);
      EXPECT_EQ(seen.nonfinite, expected.nonfinite);
      expect_same_bits(seen.x, expected.x);
      expect_same_bits(seen.state.m, expected.state.m);
      expect_same_bits(seen.state.v, expected.state.v);
    }
  }
}

TEST(Optimizer, WhatLiesBetweenTensorsIsLeftAlone) {
  SerialExecutor serial;
  const Trained run = train(kSignum, serial);
  const std::vector<float> start = normals(kFlat, 1);
  for (const size_t i : {3, 5, 7, 9, 15}) EXPECT_EQ(run.x[i], start[i]) << i;
  EXPECT_NE(run.x[8], start[8]);
}

TEST(Optimizer, StateIsWhatTheRuleNeeds) {
  const auto floats = [](OptimizerOptions o) {
    const OptimizerState s = make_state(make_update_plan(o), 10, 1);
    return s.m.size() + s.v.size();
  };
  EXPECT_EQ(floats({.optimizer = kSignSgd}), 0u);
  EXPECT_EQ(floats({.optimizer = kSignum}), 10u);
  EXPECT_EQ(floats({.optimizer = kSignum, .momentum = 0.0}), 0u);
  EXPECT_EQ(floats({.optimizer = kLion}), 10u);
  EXPECT_EQ(floats({.optimizer = kSgd}), 10u);
  EXPECT_EQ(floats({.optimizer = kSgd, .momentum = 0.0}), 0u);
  EXPECT_EQ(floats({.optimizer = kAdam}), 20u);
  EXPECT_EQ(floats({.optimizer = kAdamW}), 20u);
}

TEST(Optimizer, TheFactorScalesRateAndDecayAlike) {
  const UpdatePlan plan =
      make_update_plan({.optimizer = kSignSgd, .learning_rate = 0.5, .decoupled_weight_decay = 0.5});
  OptimizerState state = make_state(plan, 1, 1);
  std::vector<float> x{8};
  SerialExecutor serial;
  optimizer_step(plan, state, std::vector<TensorSlot>{{0, 1}}, x, std::vector{1.0f}, 0.5, serial);
  EXPECT_EQ(x[0], 8 * (1 - 0.25f * 0.5f) - 0.25f);
  optimizer_step(plan, state, std::vector<TensorSlot>{{0, 1}}, x, std::vector{1.0f}, 0.0, serial);
  EXPECT_EQ(x[0], 6.75f) << "a factor of 0 moves nothing";
}

// StoSignSGD by options: x moves by lr sign(m + G xi), and its mean by lr m / G.
TEST(Optimizer, AMaximumIsStateAndScalesTheDither) {
  SerialExecutor serial;
  for (const DitherOn on : {DitherOn::kUpdate, DitherOn::kMean}) {
    const UpdatePlan plan =
        make_update_plan({.optimizer = kSignum, .learning_rate = 0.25, .momentum = 0.5, .decoupled_weight_decay = 0.0},
                         {.dither = DitherKind::kMaximum,
                          .dither_shape = DitherShape::kConstant,
                          .dither_on = on,
                          .dither_noise = DitherNoise::kUniform},
                         {}, 3, 1000);
    OptimizerState state = make_state(plan, 2, 1);
    ASSERT_EQ(state.maximum.size(), 2u);
    std::vector<float> x{0, 0};
    const auto step = [&](float a, float b) {
      optimizer_step(plan, state, std::vector<TensorSlot>{{0, 2}}, x, std::vector{a, b}, 1, serial);
    };
    step(8, -2);  // m = 4, -1: its own maximum, so the sign is certain
    EXPECT_EQ(x, (std::vector<float>{-0.25f, 0.25f}));
    EXPECT_EQ(state.maximum, (std::vector<float>{4, 1}));
    step(-2, -1);  // m = 1, -1
    EXPECT_EQ(state.maximum, (std::vector<float>{4, 1}));
    if (on == DitherOn::kMean) {
      EXPECT_EQ(x, (std::vector<float>{-0.25f - 0.25f * 0.25f, 0.5f}));
    }
  }
  EXPECT_TRUE(make_state(make_update_plan({}, {.dither = DitherKind::kRelative}), 2, 1).maximum.empty());
}

TEST(Optimizer, AFactorThatIsNoneIsRefusedBeforeAnythingMoves) {
  SerialExecutor serial;
  for (const OptimizerKind kind : {kSignSgd, kSignum, kLion, kSgd, kAdam, kAdamW}) {
    const UpdatePlan plan = make_update_plan({.optimizer = kind});
    OptimizerState state = make_state(plan, 1, 1);
    std::vector<float> x{8};
    for (const double factor : {-1.0, std::nan(""), HUGE_VAL}) {
      EXPECT_THAT(option_error([&] {
                    optimizer_step(plan, state, std::vector<TensorSlot>{{0, 1}}, x, std::vector{1.0f}, factor, serial);
                  }),
                  testing::HasSubstr("wanted a finite rate of at least 0"))
          << display_name(kind) << " " << factor;
    }
    EXPECT_EQ(x[0], 8);
    EXPECT_EQ(state.step, 0u);
  }
}

TEST(Optimizer, SignumWithoutMomentumIsSignSgd) {
  SerialExecutor serial;
  const auto run = [&](OptimizerOptions o) {
    const UpdatePlan plan = make_update_plan(o);
    OptimizerState state = make_state(plan, 50, 1);
    std::vector<float> x = normals(50, 1);
    for (uint64_t t = 0; t < 5; ++t)
      optimizer_step(plan, state, std::vector<TensorSlot>{{0, 50}}, x, normals(50, t), 1, serial);
    return x;
  };
  expect_same_bits(run({.optimizer = kSignum, .learning_rate = .1, .momentum = 0.0, .decoupled_weight_decay = .1}),
                   run({.optimizer = kSignSgd, .learning_rate = .1, .decoupled_weight_decay = .1}));
}

TEST(Optimizer, ASmallQuadraticIsMinimised) {
  SerialExecutor serial;
  for (const OptimizerKind kind : {kSignSgd, kSignum, kLion, kSgd, kAdam, kAdamW}) {
    OptimizerOptions o{.optimizer = kind, .learning_rate = 0.02};
    if (kind != kAdam) o.decoupled_weight_decay = 0.0;
    if (kind == kSgd) o.l2_penalty = 0.0;
    const UpdatePlan plan = make_update_plan(o);
    OptimizerState state = make_state(plan, 2, 1);
    std::vector<float> x{1, -2};
    for (int t = 0; t < 500; ++t)
      optimizer_step(plan, state, std::vector<TensorSlot>{{0, 2}}, x, std::vector{x[0], 2 * x[1]}, 1 - t / 500.0,
                     serial);
    EXPECT_NEAR(x[0], 0, 1e-2) << display_name(kind);
    EXPECT_NEAR(x[1], 0, 1e-2) << display_name(kind);
  }
}

}  // namespace
}  // namespace signstep
