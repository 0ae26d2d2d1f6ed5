// SPDX-License-Identifier: Apache-2.0
// What a run's record says of its update rule, to the letter: a run goes on only where the recorded text is its own.
#include <gmock/gmock.h>

#include "signstep/io/config.h"
#include "signstep/optim/rules/rules.h"
#include "signstep/train/run_identity.h"

namespace signstep {
namespace {

using nlohmann::ordered_json;

TrainOptions resolved_rule(const std::string& rule) {
  TrainOptions o;
  o.optimizer = OptimizerOptions(rule);
  return resolved(o);
}

// As the release wrote them that first had the rule.
const std::map<std::string, const char*> kRecords = {
    {"signsgd",
     R"({"optimizer":"signsgd","learning_rate":0.0003,"momentum":"auto","decoupled_weight_decay":0.1,"l2_penalty":"auto","nesterov":false,"beta1":"auto","beta2":"auto","epsilon":1e-08,"zero":"skip"})"},
    {"signum",
     R"({"optimizer":"signum","learning_rate":0.001,"momentum":0.9,"decoupled_weight_decay":0.05,"l2_penalty":"auto","nesterov":false,"beta1":"auto","beta2":"auto","epsilon":1e-08,"zero":"skip"})"},
    {"lion",
     R"({"optimizer":"lion","learning_rate":0.0003,"momentum":"auto","decoupled_weight_decay":0.1,"l2_penalty":"auto","nesterov":false,"beta1":0.9,"beta2":0.99,"epsilon":1e-08,"zero":"skip"})"},
    {"sgd",
     R"({"optimizer":"sgd","learning_rate":0.1,"momentum":0.9,"decoupled_weight_decay":0,"l2_penalty":0.0005,"nesterov":false,"beta1":"auto","beta2":"auto","epsilon":1e-08,"zero":"skip"})"},
    {"adam",
     R"({"optimizer":"adam","learning_rate":0.001,"momentum":"auto","decoupled_weight_decay":"auto","l2_penalty":0,"nesterov":false,"beta1":0.9,"beta2":0.999,"epsilon":1e-08,"zero":"skip"})"},
    {"adamw",
     R"({"optimizer":"adamw","learning_rate":0.001,"momentum":"auto","decoupled_weight_decay":0.05,"l2_penalty":"auto","nesterov":false,"beta1":0.9,"beta2":0.999,"epsilon":1e-08,"zero":"skip"})"},
    {"ef-signsgd",
     R"({"optimizer":"ef-signsgd","learning_rate":0.1,"momentum":0.9,"decoupled_weight_decay":0,"l2_penalty":"auto","nesterov":false,"beta1":"auto","beta2":"auto","epsilon":1e-08,"zero":"skip"})"},
};

TEST(Records, TheRuleIsWrittenAsEver) {
  for (const std::string& rule : standard_rules().names()) {
    TrainOptions o = resolved_rule(rule);
    const ordered_json all = to_json(option_list(o));
    ordered_json written;
    const OptionList list = option_list(o);
    for (const Option& option : list.options())
      if (option.group == "Optimizer") written[option.name] = all[option.name];
    EXPECT_EQ(written.dump(), kRecords.at(rule));
  }
}

TEST(Records, AreReadAsTheSameRun) {
  for (const std::string& rule : standard_rules().names()) {
    TrainOptions o = resolved_rule(rule), from_toml, from_json = recorded_options(to_json(option_list(o)), "run.json"),
                 old = recorded_options(ordered_json::parse(kRecords.at(rule)), "run.json");
    OptionList list = option_list(from_toml);
    parse_toml(to_toml(option_list(o), "title"), "config.toml", list);
    EXPECT_EQ(old.diverged_above, 0) << "which nobody asked about then";
    old.diverged_above = o.diverged_above;
    for (TrainOptions* again : {&from_toml, &from_json, &old})
      EXPECT_EQ(option_list(*again).to_text(), option_list(o).to_text()) << rule;
  }
}

// What is not the chosen rule's and did no harm when it was recorded does none now.
TEST(Records, UnusedValuesAreKept) {
  const ordered_json recorded = {{"optimizer", "sgd"}, {"epsilon", 1e-6}, {"zero", "plus"}};
  TrainOptions o = recorded_options(recorded, "run.json");
  EXPECT_EQ(option_list(o).find("epsilon")->text(), "1e-06");
  EXPECT_EQ(option_list(o).find("zero")->text(), "plus");
}

}  // namespace
}  // namespace signstep
