// SPDX-License-Identifier: Apache-2.0
// Learners over ranks, against learners' parts stepped in one process.
#include <gtest/gtest.h>

#include <mutex>

#include "signstep/base/error.h"
#include "signstep/random/random.h"
#include "signstep/train/learner.h"
#include "signstep/train/ranks.h"
#include "signstep/wire/rank_threads.h"
#include "signstep/wire/sum_over_ranks.h"
#include "tests/support/message_of.h"
#include "tests/support/softmax_engine.h"

namespace signstep {
namespace {

constexpr std::chrono::milliseconds kLong = std::chrono::minutes(2);
constexpr uint64_t kSteps = 5;

Network small_network() { return make_network({.name = "resnet20", .width = 4}, 1, 4); }

// Two images of rank r at step t.
Batch batch_of(size_t rank, uint64_t t) {
  SequentialRandom random(Stream(rank, Purpose::kSample, t));
  Batch batch;
  batch.count = 2;
  batch.channels = 1;
  batch.height = batch.width = 32;
  batch.images.resize(2 * 32 * 32);
  for (float& pixel : batch.images) pixel = static_cast<float>(random.normal());
  batch.labels = {random.below(4), random.below(4)};
  return batch;
}

std::unique_ptr<SoftmaxEngine> engine_of(size_t rank) {
  auto engine = std::make_unique<SoftmaxEngine>(small_network());
  SequentialRandom random(Stream(rank, Purpose::kInit));
  for (const TensorInfo& t : engine->network().parameters)
    for (float& value : engine->values().subspan(t.offset, t.size)) value = static_cast<float>(random.normal());
  return engine;
}

std::vector<float> copied(std::span<const float> values) { return {values.begin(), values.end()}; }

struct Outcome {
  std::vector<std::vector<float>> values, buffers;  // of each rank
  std::vector<double> losses;
  std::vector<size_t> correct;
};

Outcome learned(const OptimizerOptions& options, size_t ranks) {
  Outcome outcome;
  outcome.values.resize(ranks);
  outcome.buffers.resize(ranks);
  std::mutex mutex;
  run_ranks(ranks, kLong, [&](Communicator& world) {
    Learner learner(engine_of(world.rank()), make_rule(options), Schedule({.schedule = ScheduleKind::kLinear}, 10),
                    &world);
    std::vector<double> losses;
    std::vector<size_t> correct;
    for (uint64_t t = 0; t < kSteps; ++t) {
      const BatchResult result = learner.step(batch_of(world.rank(), t)).batch;
      losses.push_back(result.loss);
      correct.push_back(result.correct);
    }
    learner.share();
    const std::lock_guard lock(mutex);
    outcome.values[world.rank()] = copied(learner.engine().values());
    outcome.buffers[world.rank()] = copied(learner.engine().buffers());
    if (outcome.losses.empty()) {
      outcome.losses = losses;
      outcome.correct = correct;
    }
    EXPECT_EQ(losses, outcome.losses);
    EXPECT_EQ(correct, outcome.correct);
  });
  return outcome;
}

// Whatever the rule: each rank's gradients at the shared values, then the rule once, on their mean.
Outcome simulated_mean(const OptimizerOptions& options, size_t ranks) {
  const auto rule = make_rule(options);
  const Schedule schedule({.schedule = ScheduleKind::kLinear}, 10);
  std::vector<std::unique_ptr<SoftmaxEngine>> engines;
  for (size_t r = 0; r < ranks; ++r) engines.push_back(engine_of(0));
  const Network& network = engines[0]->network();
  OptimizerState state = make_state(*rule, network.parameter_elements, network.parameters.size());
  std::vector<TensorSlot> slots;
  for (const TensorInfo& t : network.parameters) slots.push_back({t.offset, t.size, t.shape});
  std::vector<float> values = copied(engines[0]->values());
  Outcome outcome;
  SerialExecutor serial;
  for (uint64_t t = 0; t < kSteps; ++t) {
    std::vector<std::vector<float>> gradients;
    double loss = 0;
    size_t correct = 0;
    for (size_t r = 0; r < ranks; ++r) {
      std::copy(values.begin(), values.end(), engines[r]->values().begin());
      const BatchResult result = engines[r]->forward_backward(batch_of(r, t));
      loss += result.loss;
      correct += result.correct;
      gradients.push_back(copied(engines[r]->gradients()));
    }
    outcome.losses.push_back(loss / static_cast<double>(ranks));
    outcome.correct.push_back(correct);
    optimizer_step(*rule, state, slots, values, mean_over_ranks_ref(gradients), schedule.factor(t), serial);
  }
  std::vector<std::vector<float>> buffers;
  for (const auto& engine : engines) buffers.push_back(copied(engine->buffers()));
  outcome.values.assign(ranks, values);
  outcome.buffers.assign(ranks, mean_over_ranks_ref(buffers));
  return outcome;
}

TEST(LearnerRanks, RulesThatDoNotVoteStepAlongTheMeanGradient) {
  for (const char* rule : {"sgd", "adamw"}) {
    for (size_t ranks = 1; ranks <= 4; ++ranks) {
      SCOPED_TRACE(rule + (" over " + std::to_string(ranks)));
      const Outcome got = learned(OptimizerOptions(rule), ranks), want = simulated_mean(OptimizerOptions(rule), ranks);
      EXPECT_EQ(got.values, want.values);
      EXPECT_EQ(got.buffers, want.buffers);
      EXPECT_EQ(got.losses, want.losses);
      EXPECT_EQ(got.correct, want.correct);
    }
  }
}

// The vote itself is held against its simulation in tests/optim/vote_stepper_test.cc.
TEST(LearnerRanks, RanksThatVoteStayTogether) {
  const OptimizerOptions options("signum", {{"zero", "random"}});
  const Outcome voted = learned(options, 3);
  EXPECT_EQ(voted.values[1], voted.values[0]);
  EXPECT_EQ(voted.values[2], voted.values[0]);
  EXPECT_EQ(voted.buffers[2], voted.buffers[0]);
  EXPECT_NE(voted.values, simulated_mean(options, 3).values) << "a vote is not the sign of the mean";
  EXPECT_EQ(learned(options, 1).values[0], simulated_mean(options, 1).values[0]) << "alone it is plain Signum";
}

TEST(LearnerRanks, ARuleThatCannotVoteIsRefused) {
  EXPECT_NE(message_of<OptionError>([] {
              run_ranks(2, kLong, [](Communicator& world) {
                Learner learner(engine_of(0), make_rule(OptimizerOptions("signum")), Schedule({}, 10), &world);
              });
            }).find("use --zero random"),
            std::string::npos);
}

TEST(LearnerRanks, ARankWithOtherParametersIsNamed) {
  EXPECT_NE(message_of<EnvironmentError>([] {
              run_ranks(3, kLong, [](Communicator& world) {
                Learner learner(engine_of(world.rank()), make_rule(OptimizerOptions("sgd")), Schedule({}, 10), &world);
                learner.share();  // all started with rank 0's
                if (world.rank() == 2) learner.engine().values()[0] += 1;
                learner.share();
              });
            }).find("rank 2 holds other parameters than rank 0"),
            std::string::npos);
}

}  // namespace
}  // namespace signstep
