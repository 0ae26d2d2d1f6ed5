// SPDX-License-Identifier: Apache-2.0
#include "signstep/experiment/experiment.h"

#include <gmock/gmock.h>

#include <filesystem>

#include "signstep/base/error.h"
#include "signstep/experiment/experiment_plan.h"
#include "tests/support/message_of.h"

namespace signstep {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kGood = R"(
title = "A title"
baseline = "SGD"
seeds = [1, 2]
tuning_seeds = [101]
[train]
dataset = "cifar10"
width = 4
epochs = 2
validation = 60
[grid]
batch = [8, 16]
[tune]
learning_rate = [0.1, 0.2]
[[method]]
name = "SGD"
optimizer = "sgd"
paper = 91.38
[[method]]
name = "switch"
optimizer = "signum"
switch_when = "at"
flip = false
[method.grid]
switch_blend = [0, 5]
[method.tune]
learning_rate = [1e-3, 3e-3]
[paper]
source = "somewhere"
differences = ["fewer epochs"]
)";

ExperimentPlan plan_of(const std::string& text) { return make_plan(parse_experiment(text, "e.toml"), "out"); }

std::string refusal(const std::string& text) {
  return message_of<OptionError>([&] { plan_of(text); });
}

// kGood with one part replaced.
std::string with(const std::string& part, const std::string& other) {
  std::string text = kGood;
  const size_t at = text.find(part);
  EXPECT_NE(at, std::string::npos) << part;
  return text.replace(at, part.size(), other);
}

TEST(ExperimentTest, GridsBecomeRowsAndTrialsBecomeRuns) {
  const ExperimentPlan plan = plan_of(kGood);
  std::vector<std::string> names;
  for (const PlannedRow& row : plan.rows) names.push_back(row.name);
  EXPECT_THAT(names,
              ElementsAre("SGD, batch 8", "switch, switch_blend 0, batch 8", "switch, switch_blend 5, batch 8",
                          "SGD, batch 16", "switch, switch_blend 0, batch 16", "switch, switch_blend 5, batch 16"));
  EXPECT_EQ(plan.tuning.size(), 6u * 2 * 1);
  EXPECT_EQ(plan.all_runs().size(), 12u + 6 * 2);
  EXPECT_EQ(plan.baseline_of(2), 0u);
  EXPECT_EQ(plan.baseline_of(5), 3u);

  const PlannedRun& tuning = plan.tuning[3];
  EXPECT_EQ(tuning.name, "switch, switch_blend 0, batch 8, learning_rate 0.003, seed 101");
  EXPECT_EQ(tuning.folder, "out/tuning/switch,_switch_blend_0,_batch_8/learning_rate=0.003/seed-101");
  EXPECT_EQ(tuning.options.validation, 60);
  EXPECT_EQ(tuning.options.test_when, TestWhen::kNever);
  EXPECT_EQ(tuning.options.batch, 8);
  EXPECT_EQ(tuning.options.engine.threads, 1);
  EXPECT_FALSE(tuning.options.augment.flip);
  EXPECT_EQ(tuning.options.optimizer.get("learning_rate"), "0.003");

  const auto reported = plan.reported(1, 1);
  ASSERT_EQ(reported.size(), 2u);
  EXPECT_EQ(reported[1].options.validation, 0);  // training and validation images together
  EXPECT_EQ(reported[1].options.test_when, TestWhen::kEpoch);
  EXPECT_EQ(reported[1].options.seed, 2u);
  EXPECT_EQ(reported[1].folder, "out/reported/switch,_switch_blend_0,_batch_8/learning_rate=0.003/seed-2");
}

TEST(ExperimentTest, WithoutTrialsNothingIsTuned) {
  const ExperimentPlan plan = plan_of("seeds = [1]\n[[method]]\nname = \"a\"\noptimizer = \"sgd\"\n");
  EXPECT_FALSE(plan.tunes());
  EXPECT_EQ(plan.all_runs().front().folder, "out/reported/a/default/seed-1");
  EXPECT_EQ(plan.experiment.title, "e");
}

// Four rates with two decays and five rates alone are five trials each, one option after the other.
TEST(ExperimentTest, ACoordinateSearchCountsItsOwnTrials) {
  std::string text = with("[1e-3, 3e-3]", "[1e-4, 3e-4, 1e-3, 3e-3, 1e-2]");
  const std::string rates = "learning_rate = [0.1, 0.2]";
  text.replace(text.find(rates), rates.size(), "learning_rate = [0.1, 0.2, 0.3, 0.4]\nl2_penalty = [0, 1e-4]");
  EXPECT_THAT(refusal(text), HasSubstr("'switch' has 5 tuning trials and 'SGD' has 8"));
  const ExperimentPlan plan = plan_of("tuning_search = \"coordinate\"\n" + text);
  EXPECT_EQ(plan.trials_needed(), 5u);
  EXPECT_EQ(plan.tuning_runs(), 6u * 5);
  EXPECT_THAT(refusal("tuning_search = \"random\"\n" + text),
              HasSubstr("e.toml:1:17: tuning_search is 'random'; wanted grid or coordinate"));
}

TEST(ExperimentTest, MistakesNameTheirPlace) {
  EXPECT_THAT(refusal("seeds = ["), HasSubstr("e.toml:1:"));
  EXPECT_THAT(refusal(with("tuning_seeds", "tunning_seeds")),
              HasSubstr("e.toml:5:1: unknown key 'tunning_seeds'; did you mean 'tuning_seeds'?"));
  EXPECT_THAT(refusal("tune_once = 1\n"), HasSubstr("e.toml:1:13: tune_once is neither true nor false"));
  EXPECT_THAT(refusal("tune_once = true\nseeds = [1]\n[[method]]\nname = \"a\"\noptimizer = \"sgd\"\n"),
              HasSubstr("tune_once is for experiments with a [grid]"));
  EXPECT_THAT(refusal(with("\"sgd\"", "\"sdg\"")),
              HasSubstr("e.toml:17:13: optimizer is 'sdg'; wanted one of signsgd"));
  EXPECT_THAT(refusal(with("width", "widht")), HasSubstr("unknown option 'widht'; did you mean 'width'?"));
  EXPECT_THAT(refusal(with("[8, 16]", "[]")), HasSubstr("e.toml:12:9: the grid is empty: batch has no values"));
  EXPECT_THAT(refusal("seeds = [1]\n"), HasSubstr("the grid is empty: there is no [[method]]"));
  EXPECT_THAT(refusal(with("[8, 16]", "[8, 8]")), HasSubstr("batch holds a value twice"));
  EXPECT_THAT(refusal(with("[8, 16]", "[8, \"08\"]")), HasSubstr("batch holds a value twice"));
  EXPECT_THAT(refusal(with("[8, 16]", "[8, 0]")), HasSubstr("e.toml:12:9: batch is '0'; wanted"));
  EXPECT_THAT(refusal(with("[8, 16]", "8")), HasSubstr("batch is no list"));
  EXPECT_THAT(refusal(with("[8, 16]", "[[8]]")), HasSubstr("batch is no single value"));
  EXPECT_THAT(refusal(with("[1e-3, 3e-3]", "[1e-3]")), HasSubstr("'switch' has 1 tuning trials and 'SGD' has 2"));
  EXPECT_THAT(refusal(with("[101]", "[2]")), HasSubstr("seed 2 tunes and reports"));
  EXPECT_THAT(refusal(with("[101]", "[]")), HasSubstr("there are no tuning seeds"));
  EXPECT_THAT(refusal(with("[1, 2]", "[1, 1]")), HasSubstr("seeds holds a seed twice"));
  EXPECT_THAT(refusal(with("[1, 2]", "[-1]")), HasSubstr("seeds holds '-1'"));
  EXPECT_THAT(refusal(with("[1, 2]", "[]")), HasSubstr("there are no seeds"));
  EXPECT_THAT(refusal(with("baseline = \"SGD\"", "baseline = \"Adam\"")),
              HasSubstr("baseline is 'Adam', which no method is named"));
  EXPECT_THAT(refusal(with("name = \"switch\"", "name = \"SGD\"")), HasSubstr("two methods are named 'SGD'"));
  EXPECT_THAT(refusal(with("name = \"switch\"", "paper = 1")), HasSubstr("a method has no name"));
  EXPECT_THAT(refusal(with("optimizer = \"sgd\"", "")), HasSubstr("method 'SGD' has no optimizer"));
  EXPECT_THAT(refusal(with("paper = 91.38", "paper = 0")), HasSubstr("in percent"));
  for (const std::string name : {"seed", "output", "data", "init", "loader_threads"}) {
    const std::string wanted = name + " is set for each run by the protocol";
    EXPECT_THAT(refusal(with("flip = false", name + " = 3")), HasSubstr(wanted));
    EXPECT_THAT(refusal(with("width = 4", name + " = 'x'")), HasSubstr("e.toml:8:1: " + wanted));
    EXPECT_THAT(refusal(with("batch = [8, 16]", name + " = [3, 4]")), HasSubstr(wanted));
  }
  EXPECT_THAT(refusal(with("width = 4", "quiet = true")), HasSubstr("unknown option 'quiet'"));
  EXPECT_THAT(refusal(with("flip = false", "learning_rate = 1")), HasSubstr("sets learning_rate and varies it"));
  EXPECT_THAT(refusal(with("[1e-3, 3e-3]", "[1e-3, \"auto\"]")), HasSubstr("over a list with auto in it"));
  EXPECT_THAT(refusal(with("flip = false", "validation = 30")), HasSubstr("which only tuning has a use for"));
  EXPECT_THAT(refusal(with("batch = [8, 16]", "validation = [30, 40]")), HasSubstr("sets or varies validation"));
  EXPECT_THAT(refusal(with("validation = 60", "validation = 0")),
              HasSubstr("rates are tuned on the validation images"));
  EXPECT_THAT(refusal("seeds = [1]\n[[method]]\nname = \"a b\"\noptimizer = \"sgd\"\n[[method]]\nname = "
                      "\"a_b\"\noptimizer = \"sgd\"\n"),
              HasSubstr("two rows would be written to the folder a_b"));
}

TEST(ExperimentTest, AListIsAnArrayOrText) {
  for (const char* list : {"[0.5, 0.9]", "'0.5,0.9'", "'0.5, 0.9'"}) {
    const ExperimentPlan plan = plan_of(with("flip = false", std::string("milestones = ") + list));
    EXPECT_THAT(plan.run(plan.rows.size() - 1, 0, 1, true).options.schedule.milestones, ElementsAre(0.5, 0.9)) << list;
  }
  EXPECT_THAT(refusal(with("flip = false", "milestones = [0.9, 0.5]")), HasSubstr("rising shares of the run"));
  EXPECT_THAT(refusal(with("flip = false", "epsilon = [0.1]")), HasSubstr("epsilon is no single value"));
}

TEST(ExperimentTest, NamesThatCannotBeShownOrBeFoldersAreRefused) {
  const auto named = [](const std::string& name) { return refusal(with("name = \"SGD\"", "name = \"" + name + "\"")); };
  EXPECT_THAT(named("a\\nb"), HasSubstr("e.toml:16:8: name holds a control character"));
  EXPECT_THAT(named("a\\u001b[31m"), HasSubstr("name holds a control character"));
  EXPECT_THAT(named("a\\u202eb"), HasSubstr("name holds a control character"));
  EXPECT_THAT(named(std::string(300, 'x')), HasSubstr("name has 300 characters; wanted at most 100"));
  EXPECT_THAT(refusal(with("A title", "A\\ttitle")), HasSubstr("e.toml:2:9: title holds a control character"));
  EXPECT_THAT(refusal(with("A title", std::string(201, 'x'))), HasSubstr("title has 201 characters"));
  EXPECT_THAT(refusal(with("\"somewhere\"", "\"some\\nwhere\"")), HasSubstr("source holds a control character"));
  EXPECT_THAT(refusal(with("\"fewer epochs\"", "\"fewer\\nepochs\"")), HasSubstr("a value of differences holds"));
  const std::string alone = "seeds = [1]\n[[method]]\noptimizer = \"sgd\"\nname = ";
  EXPECT_THAT(refusal(alone + "\"..\"\n"), HasSubstr("'..' cannot name a folder"));
  EXPECT_THAT(refusal(alone + "\"" + std::string(90, 'x') +
                      "\"\n[method.grid]\nlearning_rate = [1e-10]\nmomentum = "
                      "[0.123456789012]\nl2_penalty = [1.23456789e-10]\nwarmup = [0.12345678901234]\n"
                      "final_factor = [0.1234567890123]\n"),
              HasSubstr("characters; wanted at most 200: shorten the method's name"));
  EXPECT_THAT(message_of<OptionError>([] { parse_experiment(kGood, "a\xff.toml"); }), HasSubstr("is not UTF-8"));
}

TEST(ExperimentTest, OptionsAreNamedWithTheirPlace) {
  EXPECT_THAT(
      refusal(with("optimizer = \"sgd\"", "optimiser = \"sgd\"")),
      HasSubstr("e.toml:17:13: method 'SGD' has no optimizer; did you mean 'optimizer' where it says 'optimiser'?"));
  EXPECT_THAT(refusal(with("flip = false", "flipp = false")),
              HasSubstr("e.toml:23:1: unknown option 'flipp'; did you mean 'flip'?"));
  EXPECT_THAT(refusal(with("epochs = 2", "epoch = 2")), HasSubstr("e.toml:9:1: unknown option 'epoch'; did you mean"));
  EXPECT_THAT(refusal(with("switch_blend = [0, 5]", "switch_bland = [0, 5]")),
              HasSubstr("unknown option 'switch_bland'"));
}

// Counted, not made: 59^7 combinations would need more memory than there is.
TEST(ExperimentTest, AGridThatNobodyCanRunIsRefusedBeforeItIsMade) {
  std::string values;
  for (int i = 1; i <= 59; ++i) values += fmt::format("{}e-6,", i);
  std::string text = "seeds = [1]\ntuning_seeds = [2]\n[tune]\n";
  for (const char* option :
       {"learning_rate", "l2_penalty", "momentum", "switch_average", "warmup", "switch_at", "epsilon"})
    text += fmt::format("{} = [{}]\n", option, values);
  const std::string method = "[[method]]\nname = \"a\"\noptimizer = \"sgd\"\n";
  EXPECT_THAT(refusal(text + method), HasSubstr("the lists ask for more than 10000 runs"));
  // 59 trials are made at one point of the 400, not at all.
  std::string once = "tune_once = true\nseeds = [1]\ntuning_seeds = [2]\n[grid]\nbatch = [";
  for (int i = 1; i <= 400; ++i) once += fmt::format("{},", i);
  EXPECT_NO_THROW(parse_experiment(
      "baseline = \"a\"\n" + once + "]\n[tune]\nlearning_rate = [" + values + "]\n" + method, "e.toml"));
  EXPECT_EQ(count_combinations(std::vector<GridAxis>(20, {"a", std::vector<std::string>(1000)})), SIZE_MAX);
  std::string seeds = "seeds = [1";
  for (int i = 2; i <= 10001; ++i) seeds += fmt::format(",{}", i);
  EXPECT_THAT(refusal(seeds + "]\n" + method), HasSubstr("more than 10000 runs"));
}

TEST(ExperimentTest, TheLastAxisIsFastest) {
  const auto all = combinations({{"a", {"1", "2"}}, {"b", {"x", "y"}}});
  ASSERT_EQ(all.size(), 4u);
  EXPECT_EQ(settings_text(all[1]), "a 1, b y");
  EXPECT_EQ(combinations({}).size(), 1u);
}

// The files that are shipped can be carried out as they are.
TEST(ExperimentTest, ShippedExperimentsArePlans) {
  size_t seen = 0;
  for (const auto& entry : std::filesystem::directory_iterator(SIGNSTEP_EXPERIMENTS)) {
    if (entry.path().extension() != ".toml") continue;
    EXPECT_NO_THROW(make_plan(read_experiment(entry.path().string()), "out")) << entry.path();
    ++seen;
  }
  EXPECT_GE(seen, 7u);
}

}  // namespace
}  // namespace signstep
