// SPDX-License-Identifier: Apache-2.0
#include "signstep/optim/rules/error_feedback.h"

#include <limits>

#include "signstep/optim/optimizer.h"
#include "signstep/parallel/thread_pool.h"
#include "signstep/wire/rank_threads.h"
#include "tests/optim/fixtures.h"
#include "tests/support/message_of.h"

namespace signstep {
namespace {

constexpr std::chrono::milliseconds kLong = std::chrono::minutes(2);

std::unique_ptr<UpdateRule> rule_of(const OptimizerOptions::Values& values, size_t ranks = 1) {
  WorkerOptions workers;
  workers.workers = static_cast<int64_t>(ranks);
  return make_rule(OptimizerOptions("ef-signsgd", values), {}, {}, /*seed=*/0, /*total_steps=*/1, workers);
}

// By hand from algorithm 1 of arXiv 1901.09847, exact in decimals.
TEST(ErrorFeedback, KnownAnswer) {
  const auto rule = rule_of({{"learning_rate", "0.1"}, {"momentum", "0"}});
  EXPECT_EQ(rule->buffers(), std::vector<std::string>{"e"});
  const std::vector<TensorSlot> slots = {{0, 3}};
  OptimizerState state = make_state(*rule, 3, 1);
  std::vector<float> x(3);
  SerialExecutor serial;
  for (const std::vector<float>& g :
       {std::vector<float>{1, -2, 0.5f}, std::vector<float>{-1, 0.1f, 0.2f}, std::vector<float>{0.3f, 0.3f, -0.4f}})
    optimizer_step(*rule, state, slots, x, g, 1, serial);
  const double want[] = {-0.020740740741, 0.178518518519, -0.020740740741};
  for (size_t i = 0; i < 3; ++i) EXPECT_NEAR(x[i], want[i], 1e-7);
}

// Ranks whose gradients are noise of their own, and what each has after so many steps.
struct NoisyRanks {
  static constexpr size_t kN = 300, kRanks = 4;
  std::vector<std::vector<float>> x{kRanks}, e{kRanks}, e_mean{kRanks};
  const std::vector<TensorSlot> slots = {{0, 130}, {192, 108}};

  static std::vector<float> gradient(size_t rank, uint64_t t) { return normals(kN, 100000 * rank + t); }

  explicit NoisyRanks(uint64_t steps) {
    run_ranks(kRanks, kLong, [&](Communicator& world) {
      const size_t r = world.rank();
      const auto rule = rule_of({{"learning_rate", "0.05"}, {"momentum", "0.5"}}, kRanks);
      OptimizerState state = make_state(*rule, kN, slots.size());
      SerialExecutor serial;
      x[r].assign(kN, 0.0f);
      for (uint64_t t = 0; t < steps; ++t) optimizer_step(*rule, state, slots, x[r], gradient(r, t), 1, serial, &world);
      e[r].assign(state.buffer("e").begin(), state.buffer("e").end());
      e_mean[r].assign(state.buffer("e_mean").begin(), state.buffer("e_mean").end());
    });
  }

  // What is left out at a coordinate: the ranks' mean, and its owner's.
  double left_out(size_t i) const {
    double sum = 0;
    for (size_t r = 0; r < kRanks; ++r) sum += e[r][i] / double{kRanks} + e_mean[r][i];
    return sum;
  }
  double square_of_e() const {
    double sum = 0;
    for (const std::vector<float>& own : e)
      for (const float value : own) sum += double{value} * value;
    return sum;
  }
};

// x - (what is left out) is where SGD with the mean of the momenta would be: no bit is lost for good.
TEST(ErrorFeedback, WhatAVoteLeavesOutComesBack) {
  const NoisyRanks ranks(20);
  constexpr size_t kN = NoisyRanks::kN, kRanks = NoisyRanks::kRanks;
  for (size_t r = 1; r < kRanks; ++r) EXPECT_EQ(ranks.x[r], ranks.x[0]);
  std::vector<double> m(kN), sgd(kN);
  for (uint64_t t = 0; t < 20; ++t) {
    std::vector<double> mean(kN);
    for (size_t r = 0; r < kRanks; ++r) {
      const std::vector<float> g = NoisyRanks::gradient(r, t);
      for (size_t i = 0; i < kN; ++i) mean[i] += g[i] / double{kRanks};
    }
    for (size_t i = 0; i < kN; ++i) {
      m[i] = 0.5 * m[i] + 0.5 * mean[i];
      sgd[i] -= 0.05 * m[i];
    }
  }
  for (const TensorSlot& slot : ranks.slots)
    for (size_t i = slot.offset; i < slot.offset + slot.size; ++i)
      EXPECT_NEAR(ranks.x[0][i] - ranks.left_out(i), sgd[i], 1e-5) << i;
}

// A residual of what the others' signs are is a random walk of the gradients' differences: its square grows with the
// steps, tenfold here.
TEST(ErrorFeedback, ResidualsOfRanksThatDifferDoNotGrow) {
  EXPECT_LT(NoisyRanks(1000).square_of_e(), 2 * NoisyRanks(100).square_of_e());
}

TEST(ErrorFeedback, AnotherNumberOfRanksIsRefused) {
  EXPECT_THROW(rule_of({}, 2)->require_ranks(4), OptionError);
  EXPECT_EQ(message_of<OptionError>([] { rule_of({}, 2)->require_ranks(4); }),
            "ef-signsgd was made for 2 workers, and 4 ranks are here; set workers to as many");
}

TEST(ErrorFeedback, ACoordinateWithoutAGradientIsLeftAlone) {
  const auto rule = rule_of({{"decoupled_weight_decay", "0.5"}});
  const std::vector<TensorSlot> slots = {{0, 4}};
  OptimizerState state = make_state(*rule, 4, 1);
  SerialExecutor serial;
  std::vector<float> x = {1, 1, 1, 1};
  optimizer_step(*rule, state, slots, x, std::vector<float>{1, -1, 2, -2}, 1, serial);
  const std::vector<float> before = x, m(state.buffer("m").begin(), state.buffer("m").end()),
                           e(state.buffer("e").begin(), state.buffer("e").end());
  const float infinity = std::numeric_limits<float>::infinity();
  const StepReport report =
      optimizer_step(*rule, state, slots, x, std::vector<float>{1, std::nanf(""), 2, infinity}, 1, serial);
  EXPECT_EQ(report.nonfinite, 2u);
  for (const size_t i : {1, 3}) {
    EXPECT_EQ(x[i], before[i]);
    EXPECT_EQ(state.buffer("m")[i], m[i]);
    EXPECT_EQ(state.buffer("e")[i], e[i]);
  }
  EXPECT_NE(x[0], before[0]);
}

}  // namespace
}  // namespace signstep
