// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <map>

#include "signstep/train/speed_watch.h"
#include "signstep/train/thread_choice.h"
#include "tests/train/engines_here.h"

namespace signstep {
namespace {

using ::testing::HasSubstr;

ThreadChoice choice_of(int64_t most, const std::map<int64_t, double>& seconds) {
  return choose_threads(most, [&](int64_t n, double /*give_up*/) { return seconds.at(n); });
}

TEST(ThreadChoice, AQuietMachineGetsAllCores) {
  const ThreadChoice c = choice_of(2, {{1, 0.18}, {2, 0.10}});
  EXPECT_EQ(c.threads, 2);
  EXPECT_EQ(c.reason(2), "");
  EXPECT_EQ(choice_of(2, {{1, 0.1}, {2, 0.108}}).threads, 2);  // within a tenth: all, so that runs repeat
}

TEST(ThreadChoice, BesideABusyProcessFewerAreTaken) {
  const ThreadChoice c = choice_of(2, {{1, 0.2}, {2, 5.0}});
  EXPECT_EQ(c.threads, 1);
  EXPECT_THAT(c.reason(2), HasSubstr("1 thread of 2, because a forward pass took 0.2 s with 1, 5 s with 2"));
  EXPECT_EQ(choice_of(16, {{1, 0.3}, {16, 5.0}, {15, 0.02}, {8, 0.035}}).threads, 15);
  EXPECT_EQ(choice_of(16, {{1, 0.3}, {16, 5.0}, {15, 5.0}, {8, 0.04}, {4, 0.05}, {2, 0.15}}).threads, 8);
  EXPECT_EQ(choice_of(4, {{1, 0.3}, {4, 5.0}, {3, 5.0}, {2, 5.0}}).threads, 1);
}

TEST(ThreadChoice, CountsThatCannotWinAreNotTried) {
  const ThreadChoice c = choice_of(16, {{1, 15}, {16, 1}, {15, 1.05}, {8, 2}});  // 4 and 2 would throw
  EXPECT_EQ(c.threads, 16);
  EXPECT_EQ(c.trials.size(), 4u);
  EXPECT_EQ(choice_of(1, {}).threads, 1);  // nothing to choose, nothing timed
}

TEST(ThreadChoice, AHopelessTrialMayEndEarly) {
  std::vector<double> limits;
  choose_threads(2, [&](int64_t, double give_up) {
    limits.push_back(give_up);
    return 2.0;
  });
  EXPECT_THAT(limits, ::testing::ElementsAre(::testing::Gt(1e9), 6.0));
}

TEST(ThreadChoice, ARealNetworkIsTimed) {
  const Network network = make_network({.width = 4}, 1, 10);
  const EngineChoice engine = choose_engine(engines_here(), {.precision = Precision::kFp32, .threads = 2}, network);
  const ThreadChoice c = choose_threads(engine, network, {.channels = 1, .height = 32, .width = 32}, 4);
  EXPECT_THAT(c.threads, ::testing::AnyOf(1, 2));
  ASSERT_FALSE(c.trials.empty());
  EXPECT_EQ(c.trials[0].threads, 1);
  EXPECT_GT(c.trials[0].seconds, 0);
}

// Feeds steps of 100 images for that long; the fall that was told, if any.
std::optional<SpeedWatch::Fall> steps(SpeedWatch& watch, double images_per_second, double seconds) {
  std::optional<SpeedWatch::Fall> told;
  for (double t = 0; t < seconds; t += 100 / images_per_second) {
    const auto fall = watch.saw(100, 100 / images_per_second);
    EXPECT_FALSE(told && fall) << "told twice";
    if (fall) told = fall;
  }
  return told;
}

TEST(SpeedWatch, TellsOnceOfAFallAndAgainAfterARecovery) {
  SpeedWatch watch;
  EXPECT_FALSE(steps(watch, 1000, 100));
  EXPECT_FALSE(steps(watch, 500, 100));  // slower, not far slower
  const auto fall = steps(watch, 25, 300);
  ASSERT_TRUE(fall);
  EXPECT_NEAR(fall->began, 1000, 1);
  EXPECT_LT(fall->now, 333);
  EXPECT_FALSE(steps(watch, 25, 100));
  EXPECT_FALSE(steps(watch, 1000, 100));
  EXPECT_TRUE(steps(watch, 25, 300));
  EXPECT_THAT(fall->text(2), HasSubstr("--threads 1"));
  EXPECT_THAT(fall->text(1), ::testing::Not(HasSubstr("--threads")));
}

}  // namespace
}  // namespace signstep
