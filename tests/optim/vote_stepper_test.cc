// SPDX-License-Identifier: Apache-2.0
// Sign rules over ranks, against a simulation in one process that counts votes element by element.
#include "signstep/optim/vote_stepper.h"

#include <limits>
#include <mutex>

#include "signstep/kernels/zero_coins.h"
#include "signstep/optim/optimizer.h"
#include "signstep/wire/rank_threads.h"
#include "tests/optim/fixtures.h"

namespace signstep {
namespace {

constexpr std::chrono::milliseconds kLong = std::chrono::minutes(2);
constexpr size_t kSteps = 6, kElements = 64 + 192 + 64;
constexpr double kRate = 0.01;
// 3, 130 and 0 elements, each from a multiple of 64 on, as engines have them.
const std::vector<TensorSlot> kSlots = {{0, 3}, {64, 130}, {256, 0}};

std::vector<float> gradient(size_t rank, uint64_t t) {
  std::vector<float> g = normals(kElements, 1000 + 100 * rank + t);
  g[2] = 0;       // nobody knows
  g[64 + 7] = 0;  // with a momentum of its own later on
  if (t == 3 && rank == 1) g[64 + 129] = std::numeric_limits<float>::quiet_NaN();
  return g;
}

UpdatePlan plan_of(SignKind kind, const DitherOptions& dither = {}) {
  SignOptions options{.optimizer = kind, .learning_rate = kRate, .decoupled_weight_decay = 0.5};
  options.zero = ZeroPolicy::kRandom;
  return make_update_plan(options, dither, {}, 42, 100);
}

struct Outcome {
  std::vector<float> x;
  std::vector<std::vector<float>> m;  // of each rank
  std::vector<uint64_t> nonfinite;    // of each step
};

Outcome over_ranks(const UpdatePlan& plan, size_t ranks) {
  Outcome outcome;
  outcome.m.resize(ranks);
  std::mutex mutex;
  std::vector<std::vector<float>> x(ranks);
  run_ranks(ranks, kLong, [&](Communicator& world) {
    const auto rule = make_sign_rule(plan);
    rule->require_ranks(ranks);
    OptimizerState state = make_state(*rule, kElements, kSlots.size());
    SerialExecutor serial;
    std::vector<float> values = normals(kElements, 5);
    std::vector<uint64_t> nonfinite;
    for (uint64_t t = 0; t < kSteps; ++t)
      nonfinite.push_back(
          optimizer_step(*rule, state, kSlots, values, gradient(world.rank(), t), 1, serial, &world).nonfinite);
    const std::lock_guard lock(mutex);
    x[world.rank()] = values;
    const std::span<float> m = state.buffer("m");
    outcome.m[world.rank()].assign(m.begin(), m.end());
    if (outcome.nonfinite.empty()) outcome.nonfinite = nonfinite;
    EXPECT_EQ(nonfinite, outcome.nonfinite) << "the same count at every rank";
  });
  for (size_t r = 1; r < ranks; ++r) EXPECT_EQ(x[r], x[0]) << "rank " << r << " has other parameters";
  outcome.x = x[0];
  return outcome;
}

// sigma: of absolute dither on the update, 0 for none.
Outcome simulated(const UpdatePlan& plan, size_t ranks, double sigma) {
  const double momentum = plan.optimizer.momentum.value_or(0);
  const bool has_m = keeps_average(plan.optimizer);
  Outcome outcome{normals(kElements, 5), std::vector<std::vector<float>>(ranks), {}};
  for (auto& m : outcome.m) m.resize(has_m ? kElements : 0);
  for (uint64_t t = 0; t < kSteps; ++t) {
    std::vector<size_t> plus(kElements);
    uint64_t nonfinite = 0;
    for (size_t r = 0; r < ranks; ++r) {
      const std::vector<float> g = gradient(r, t);
      for (size_t i = 0; i < kSlots.size(); ++i) {
        std::vector<float> stepped(kSlots[i].size);
        StepTensor tensor;
        tensor.x = stepped.data();
        tensor.g = g.data() + kSlots[i].offset;
        tensor.m = has_m ? outcome.m[r].data() + kSlots[i].offset : nullptr;
        tensor.n = kSlots[i].size;
        tensor.index = static_cast<uint32_t>(i);
        tensor.sigma = sigma;
        SignStep step;
        step.b1 = plan.optimizer.beta1.value_or(momentum);
        step.b2 = plan.optimizer.beta2.value_or(momentum);
        step.lr = 1;
        step.zero = ZeroPolicy::kRandom;
        step.seed = plan.seed;
        step.step = t;
        step.rank = static_cast<uint32_t>(r);
        StepStatistics statistics;
        sign_step_ref({&tensor, 1}, step, {&statistics, 1});
        nonfinite += statistics.nonfinite;
        const Stream coins(plan.seed, Purpose::kZeroCoin, t, tensor.index, step.rank);
        for (size_t k = 0; k < stepped.size(); ++k)
          plus[kSlots[i].offset + k] += stepped[k] == 0 ? !(zero_coins(coins, k / 64) >> k % 64 & 1) : stepped[k] < 0;
      }
    }
    outcome.nonfinite.push_back(nonfinite);
    const Stream ties(plan.seed, Purpose::kTieCoin, t, 0, kSharedRank);
    size_t first_word = 0;
    for (const TensorSlot& slot : kSlots) {
      for (size_t k = 0; k < slot.size; ++k) {
        const size_t count = plus[slot.offset + k];
        bool up = 2 * count > ranks;
        if (2 * count == ranks) up = zero_coins(ties, first_word + k / 64) >> k % 64 & 1;
        const auto lr = static_cast<float>(kRate), decay = static_cast<float>(1 - kRate * 0.5);
        float& x = outcome.x[slot.offset + k];
        x = decay * x - lr * (up ? 1.0f : -1.0f);
      }
      first_word += (slot.size + 63) / 64;
    }
  }
  return outcome;
}

void expect_same(const Outcome& got, const Outcome& want) {
  EXPECT_EQ(got.x, want.x);
  EXPECT_EQ(got.m, want.m);
  EXPECT_EQ(got.nonfinite, want.nonfinite);
}

TEST(VoteStepper, EveryRuleEqualsASimulationOfItsRanks) {
  for (size_t ranks = 2; ranks <= 5; ++ranks) {
    for (const SignKind kind : {SignKind::kSignSgd, SignKind::kSignum, SignKind::kLion}) {
      SCOPED_TRACE(rule_name(kind) + ", ranks: " + std::to_string(ranks));
      const Outcome want = simulated(plan_of(kind), ranks, 0);
      expect_same(over_ranks(plan_of(kind), ranks), want);
      EXPECT_EQ(want.nonfinite, (std::vector<uint64_t>{0, 0, 0, 1, 0, 0}));
    }
  }
}

TEST(VoteStepper, EachRankDrawsADitherOfItsOwn) {
  const DitherOptions dither{
      .dither = DitherKind::kAbsolute, .dither_level = 2.0, .dither_shape = DitherShape::kConstant};
  for (size_t ranks = 2; ranks <= 3; ++ranks)
    expect_same(over_ranks(plan_of(SignKind::kSignum, dither), ranks),
                simulated(plan_of(SignKind::kSignum, dither), ranks, 2.0));
}

TEST(VoteStepper, RelativeDitherMeasuresEachRanksOwn) {
  const UpdatePlan plan = plan_of(SignKind::kSignum, {.dither = DitherKind::kRelative});
  const Outcome once = over_ranks(plan, 3), again = over_ranks(plan, 3);
  expect_same(once, again);
  EXPECT_NE(once.x, over_ranks(plan_of(SignKind::kSignum), 3).x);
}

TEST(VoteStepper, AWorldOfOneIsThePlainRule) {
  const UpdatePlan plan = plan_of(SignKind::kLion);
  const auto rule = make_sign_rule(plan);
  OptimizerState state = make_state(*rule, kElements, kSlots.size());
  SerialExecutor serial;
  std::vector<float> values = normals(kElements, 5);
  for (uint64_t t = 0; t < kSteps; ++t) optimizer_step(*rule, state, kSlots, values, gradient(0, t), 1, serial);
  EXPECT_EQ(over_ranks(plan, 1).x, values);
}

TEST(VoteStepper, RefusesWhatIsNotOneBit) {
  const auto message = [](const UpdatePlan& plan) {
    return option_error([&] { make_sign_rule(plan)->require_ranks(4); });
  };
  UpdatePlan plan = plan_of(SignKind::kSignum);
  EXPECT_NO_THROW(make_sign_rule(plan)->require_ranks(4));
  plan.optimizer.zero = ZeroPolicy::kSkip;
  EXPECT_EQ(message(plan),
            "4 ranks vote with one bit a coordinate, and zero must be random, because a bit cannot say 'no step'; use "
            "--zero random");
  EXPECT_EQ(message(plan_of(SignKind::kSignum, {.dither = DitherKind::kRelative, .dither_on = DitherOn::kMean})),
            "4 ranks vote with one bit a coordinate, and dither_on post and mean step by more than a sign; use "
            "--dither-on update or gradient");
  SignOptions options{.optimizer = SignKind::kSignum};
  options.zero = ZeroPolicy::kRandom;
  SwitchOptions switching;
  switching.switch_when = SwitchWhen::kAuto;
  EXPECT_EQ(
      message(make_update_plan(options, {}, switching, 1, 100)),
      "4 ranks vote with one bit a coordinate, and the switch to SGD is not calibrated over ranks; use one worker, "
      "or no switch");
}

}  // namespace
}  // namespace signstep
