// SPDX-License-Identifier: Apache-2.0
#include "signstep/options/train_options.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "signstep/io/config.h"

namespace signstep {
namespace {

using testing::UnorderedElementsAre;

std::vector<std::string> names(const std::function<bool(const Option&)>& wanted) {
  TrainOptions options;
  std::vector<std::string> out;
  const OptionList list = option_list(options);
  for (const Option& option : list.options())
    if (wanted(option)) out.push_back(option.name);
  return out;
}

// A name that is missing here breaks a promise of docs/running.md or docs/experiments.md.
TEST(TrainOptions, Roles) {
  EXPECT_THAT(names([](const Option& o) { return o.is(Role::kResumable); }),
              UnorderedElementsAre("data", "init", "output", "loader_threads", "checkpoint_every", "analyze_every",
                                   "diverged_above", "test_when"));
  EXPECT_THAT(names([](const Option& o) { return o.is(Role::kProtocol); }),
              UnorderedElementsAre("seed", "output", "data", "init", "loader_threads", "test_when"));
  EXPECT_THAT(names([](const Option& o) { return o.repeats(); }),
              UnorderedElementsAre("seed", "output", "data", "init", "threads", "loader_threads", "checkpoint_every",
                                   "analyze_every", "diverged_above", "test_when"));
  EXPECT_THAT(names([](const Option& o) { return o.is(Role::kSession); }), testing::IsEmpty());
  EXPECT_THAT(names([](const Option& o) { return o.is(Role::kExtendable); }), UnorderedElementsAre("epochs"));
  const size_t common = names([](const Option& o) { return o.is(Role::kCommon); }).size();
  EXPECT_GE(common, 18u);  // what the short help shows
  EXPECT_LE(common, 26u);
  EXPECT_THAT(names([](const Option& o) { return !o.open.empty(); }),
              UnorderedElementsAre("engine", "device", "precision", "threads"));
}

// As records have held it since release 0.1.
TEST(TrainOptions, MilestonesAreRecordedAsText) {
  TrainOptions options;
  OptionList list = option_list(options);
  EXPECT_EQ(to_json(list)["milestones"], "0.5,0.75");
  EXPECT_THAT(to_toml(list, "t"), testing::HasSubstr("\nmilestones = \"0.5,0.75\"  #"));
  from_recorded_json({{"milestones", "0.5, 0.9"}}, list);
  EXPECT_THAT(options.schedule.milestones, testing::ElementsAre(0.5, 0.9));
  from_recorded_json({{"milestones", ""}}, list);
  EXPECT_THAT(options.schedule.milestones, testing::IsEmpty());
}

}  // namespace
}  // namespace signstep
