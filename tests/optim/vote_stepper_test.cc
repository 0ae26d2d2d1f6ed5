// SPDX-License-Identifier: Apache-2.0
// Sign rules over ranks, against a simulation in one process that counts votes element by element.
#include "signstep/optim/vote_stepper.h"

#include <limits>
#include <mutex>

#include "signstep/kernels/zero_coins.h"
#include "signstep/optim/optimizer.h"
#include "signstep/wire/rank_threads.h"
#include "signstep/wire/sum_over_ranks.h"
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
}

// What the switch goes by, in double from everyone's values.
TEST(VoteStepper, ProductsAreOfTheVotedStepAndTheRankMean) {
  constexpr size_t kRanks = 4;
  const std::vector<size_t> sizes = {64, 200, 64 * 64 * 40 + 17};
  for (const ProductsWith with : {ProductsWith::kGradient, ProductsWith::kMomentum}) {
    std::vector<std::vector<float>> g, m(kRanks);
    for (size_t r = 0; r < kRanks; ++r) g.push_back(normals(sizes[0] + sizes[1] + sizes[2], 50 + r));
    std::vector<std::vector<StepStatistics>> seen(kRanks);
    std::vector<std::vector<float>> x(kRanks);
    run_ranks(kRanks, kLong, [&](Communicator& world) {
      const size_t r = world.rank();
      m[r].resize(g[r].size());
      x[r].resize(g[r].size());
      std::vector<StepTensor> tensors(3);
      SignStep step;
      step.lr = 1;
      step.b1 = step.b2 = 0.5;
      step.zero = ZeroPolicy::kRandom;
      step.sums = StepSums::kAll;
      step.products_with = with;
      for (size_t t = 0, at = 0; t < 3; at += sizes[t], ++t) {
        tensors[t].x = x[r].data() + at;
        tensors[t].g = g[r].data() + at;
        tensors[t].m = m[r].data() + at;
        tensors[t].n = sizes[t];
        tensors[t].index = static_cast<uint32_t>(t);
      }
      SerialExecutor serial;
      seen[r].resize(3);
      VoteStepper(serial, world, {}).sign(tensors, std::vector<SignStep>(3, step), seen[r]);
    });
    for (size_t t = 0, at = 0; t < 3; at += sizes[t], ++t) {
      double product = 0, square = 0;
      for (size_t i = at; i < at + sizes[t]; ++i) {
        double mean = 0;
        for (size_t r = 0; r < kRanks; ++r) mean += (with == ProductsWith::kGradient ? g : m)[r][i] / double{kRanks};
        product += -x[0][i] * mean;  // the step was from 0
        square += mean * mean;
      }
      const StepStatistics& s = seen[0][t];
      EXPECT_NEAR(s.s_dot_v, product, 1e-5 * std::abs(product));
      // Of the last, 64 spread over each 4,096: 2,560 squares, whose mean has a relative deviation of sqrt(2 / 2560).
      EXPECT_NEAR(s.v_dot_v, square, (t < 2 ? 1e-5 : 0.12) * square) << "tensor " << t;
      EXPECT_EQ(s.nonzero, sizes[t]);
      EXPECT_EQ(s.finite, sizes[t]);
      for (size_t r = 1; r < kRanks; ++r) {
        EXPECT_EQ(seen[r][t].s_dot_v, s.s_dot_v);
        EXPECT_EQ(seen[r][t].v_dot_v, s.v_dot_v);
      }
    }
  }
}

// After the switch the ranks are one worker with their mean gradient, whatever they were before.
TEST(VoteStepper, FromTheSwitchOnRanksStepAlongTheirMeanGradient) {
  SignOptions signum{.optimizer = SignKind::kSignum, .learning_rate = kRate, .decoupled_weight_decay = 0.5};
  signum.zero = ZeroPolicy::kRandom;
  SwitchOptions switching{.switch_when = SwitchWhen::kAt, .switch_at = 0.3, .switch_blend = 2};
  for (const bool dithered : {false, true}) {
    const DitherOptions dither{.dither = dithered ? DitherKind::kRelative : DitherKind::kNone};
    const UpdatePlan plan = make_update_plan(signum, dither, switching, 42, 10);
    constexpr size_t kRanks = 3, kAll = 10;
    const auto rule = make_sign_rule(plan);
    std::vector<std::vector<float>> x(kRanks), after_switch(kRanks);
    std::vector<OptimizerState> at_switch(kRanks);
    std::vector<uint64_t> events(kRanks);
    run_ranks(kRanks, kLong, [&](Communicator& world) {
      const size_t r = world.rank();
      OptimizerState state = make_state(*rule, kElements, kSlots.size());
      SerialExecutor serial;
      x[r] = normals(kElements, 5);
      for (uint64_t t = 0; t < kAll; ++t) {
        const StepReport report =
            optimizer_step(*rule, state, kSlots, x[r], normals(kElements, 900 + 10 * r + t), 1, serial, &world);
        if (!report.switching.event) continue;
        events[r] = report.switching.event->step;
        at_switch[r] = state;
        after_switch[r] = x[r];
      }
    });
    EXPECT_EQ(events, (std::vector<uint64_t>(kRanks, 3)));
    SerialExecutor serial;
    OptimizerState alone = at_switch[0];
    for (uint64_t t = 3; t < kAll; ++t) {
      std::vector<std::vector<float>> gradients;
      for (size_t r = 0; r < kRanks; ++r) gradients.push_back(normals(kElements, 900 + 10 * r + t));
      std::vector<float> mean = mean_over_ranks_ref(gradients);
      run_ranks(2, kLong, [&](Communicator& two) {  // two that hold the same are one
        OptimizerState state = alone;
        std::vector<float> values = after_switch[0];
        optimizer_step(*rule, state, kSlots, values, mean, 1, serial, &two);
        if (two.rank() != 0) return;
        alone = state;
        after_switch[0] = values;
      });
    }
    for (size_t r = 0; r < kRanks; ++r) EXPECT_EQ(x[r], after_switch[0]) << "rank " << r;
  }
}

// Minimizes |x|^2 / 2 from noisy gradients: what is left of |x| after 400 steps.
double distance_left(size_t ranks, int64_t adversaries, VoteAttack attack) {
  const UpdatePlan plan = plan_of(SignKind::kSignSgd);
  WorkerOptions workers{.workers = static_cast<int64_t>(ranks), .adversaries = adversaries, .attack = attack};
  double left = 0;
  run_ranks(ranks, kLong, [&](Communicator& world) {
    const auto rule = make_sign_rule(plan, workers);
    OptimizerState state = make_state(*rule, kElements, kSlots.size());
    SerialExecutor serial;
    std::vector<float> values(kElements, 1.0f);
    for (uint64_t t = 0; t < 400; ++t) {
      std::vector<float> g = normals(kElements, 10000 * (world.rank() + 1) + t);
      for (size_t i = 0; i < kElements; ++i) g[i] = values[i] + 0.5f * g[i];
      optimizer_step(*rule, state, kSlots, values, g, 1, serial, &world);
    }
    if (world.rank() != 0) return;
    for (size_t i = 64; i < 64 + 130; ++i) left += std::abs(values[i]) / 130;
  });
  return left;
}

TEST(VoteStepper, AMajorityOfHonestWorkersConvergesAndAMinorityDoesNot) {
  EXPECT_LT(distance_left(7, 0, VoteAttack::kSignFlip), 0.1);
  EXPECT_LT(distance_left(7, 3, VoteAttack::kSignFlip), 0.2);
  EXPECT_GT(distance_left(7, 4, VoteAttack::kSignFlip), 1.5) << "it walks away, to where decay holds it";
  EXPECT_LT(distance_left(7, 4, VoteAttack::kRandom), 0.3) << "coins only slow it down";
}

}  // namespace
}  // namespace signstep
