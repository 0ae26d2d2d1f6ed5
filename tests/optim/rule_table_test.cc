// SPDX-License-Identifier: Apache-2.0
#include "signstep/optim/rule_table.h"

#include "signstep/optim/optimizer.h"
#include "signstep/optim/rules/rules.h"
#include "signstep/optim/shared_options.h"
#include "tests/optim/fixtures.h"

namespace signstep {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// A rule from outside that needs a tensor's shape, as Muon does: each row of a matrix is stepped at length rate.
struct RowOptions final : RuleOptions {
  MaybeNumber learning_rate;
  double epsilon = 0.5;
  int64_t power = 2, log_rows = 0;

  void describe(OptionList& list) override {
    list.number_or_auto("learning_rate", learning_rate, Range::positive(), "per step", "rows 1");
    list.integer("power", power, Range::closed(1, 2), "", "of the norm");
    list.number("epsilon", epsilon, Range::positive(), "", "of rows");
    list.integer("log_rows", log_rows, Range::at_least(0), "", "steps").role(Role::kResumable);
  }
  void resolve() override { fill(learning_rate, 1.0, "learning_rate", "rows"); }
  std::unique_ptr<UpdateRule> make(const RuleContext&) const override {
    struct Rows final : UpdateRule {
      double learning_rate() const override { return 1; }
      StepReport step(const RuleStep& s, OptimizerState&) const override {
        for (const TensorSlot& slot : s.tensors) {
          const size_t width = slot.size / static_cast<size_t>(slot.shape.at(0));
          for (size_t row = slot.offset; row < slot.offset + slot.size; row += width) {
            float square = 0;
            for (size_t i = row; i < row + width; ++i) square += s.gradients[i] * s.gradients[i];
            for (size_t i = row; i < row + width; ++i)
              s.values[i] -= static_cast<float>(s.rate) * s.gradients[i] / std::sqrt(square);
          }
        }
        return {};
      }
    };
    return std::make_unique<Rows>();
  }
};

RuleFamily row_family(const char* name = "rows") {
  return {{{name, "Rows"}}, [](const std::string&) { return std::make_unique<RowOptions>(); }};
}

std::vector<std::string> names_of(const std::vector<Option>& options) {
  std::vector<std::string> names;
  for (const Option& option : options) names.push_back(option.name);
  return names;
}

std::string help_of(const RuleTable& table, std::string_view name) {
  for (const Option& option : table.options())
    if (option.name == name) return option.help;
  return "";
}

// The keys of every record and their order, as release 0.1 wrote them.
TEST(RuleTable, OptionsOfAllFamiliesStandOnceInTheRecordedOrder) {
  EXPECT_THAT(standard_rules().names(), ElementsAre("signsgd", "signum", "lion", "sgd", "adam", "adamw", "ef-signsgd"));
  EXPECT_THAT(names_of(standard_rules().options()),
              ElementsAre("learning_rate", "momentum", "decoupled_weight_decay", "l2_penalty", "nesterov", "beta1",
                          "beta2", "epsilon", "zero"));
  EXPECT_EQ(help_of(standard_rules(), "learning_rate"),
            "peak learning rate; auto: signsgd 3e-4, signum 1e-3, lion 3e-4, sgd 0.1, adam and adamw 1e-3, "
            "ef-signsgd 0.1");
  EXPECT_EQ(help_of(standard_rules(), "decoupled_weight_decay"),
            "weights shrink by learning rate times this; auto: signsgd 0.1, signum 0.05, lion 0.1, sgd 0, adamw 0.05, "
            "ef-signsgd 0");
  EXPECT_EQ(help_of(standard_rules(), "l2_penalty"), "added to the gradient times the weight; auto: sgd 5e-4, adam 0");
  EXPECT_EQ(help_of(standard_rules(), "momentum"), "of signum, sgd and ef-signsgd; auto: 0.9");
  EXPECT_EQ(help_of(standard_rules(), "beta2"), "of lion, adam and adamw; auto: 0.99 for lion, else 0.999");
}

TEST(RuleTable, AnUnknownRuleIsNamedWithTheNearest) {
  EXPECT_EQ(option_error([] { OptimizerOptions("sigmun"); }),
            "optimizer is 'sigmun'; wanted one of signsgd, signum, lion, sgd, adam, adamw, ef-signsgd; did you mean "
            "'signum'?");
  EXPECT_EQ(option_error([] { OptimizerOptions("frobnicate"); }),
            "optimizer is 'frobnicate'; wanted one of signsgd, signum, lion, sgd, adam, adamw, ef-signsgd");
}

TEST(RuleTable, ARuleFromOutsideHasItsOptionsShapesAndStep) {
  const RuleTable table = standard_rules().with(row_family());
  EXPECT_EQ(standard_rules().names().size(), 7u) << "a table is a value";
  EXPECT_THAT(names_of(table.options()),
              ElementsAre("learning_rate", "power", "momentum", "decoupled_weight_decay", "l2_penalty", "nesterov",
                          "beta1", "beta2", "epsilon", "log_rows", "zero"));
  EXPECT_THAT(help_of(table, "learning_rate"), HasSubstr("ef-signsgd 0.1, rows 1"));

  OptimizerOptions o(table);
  EXPECT_EQ(o.rule().display, "Signum");
  OptionList list;
  describe(list, o);
  list.set("optimizer", "rows");
  EXPECT_EQ(o.get("epsilon"), "0.5") << "its own default";
  list.set("power", "1");
  EXPECT_EQ(o.get("power"), "1");
  EXPECT_THAT(option_error([&] { list.set("power", "3"); }), HasSubstr("in [1, 2]"));

  const auto rule = make_rule(o);
  OptimizerState state = make_state(*rule, 4, 1);
  std::vector<float> x(4);
  SerialExecutor serial;
  const std::vector<TensorSlot> slots = {{.offset = 0, .size = 4, .shape = {2, 2}}};
  optimizer_step(*rule, state, slots, x, std::vector<float>{3, 4, 0, 2}, 0.5, serial);
  EXPECT_THAT(x, ElementsAre(-0.3f, -0.4f, 0, -0.5f));
  EXPECT_EQ(state.step, 1u);

  list.set("momentum", "0.9");
  EXPECT_EQ(option_error([&] { make_rule(o); }), "momentum is 0.9 and rows has none; leave it out");
  EXPECT_THAT(option_error([&] { make_rule(OptimizerOptions(o), {.dither = DitherKind::kRelative}); }),
              HasSubstr("momentum"));
  list.set("momentum", "auto");
  EXPECT_EQ(option_error([&] { make_rule(o, {.dither = DitherKind::kRelative}); }),
            "dither is on and Rows has no dither; leave it out, or choose signsgd, signum or lion");
}

// Part of what a run is, unless the rule says otherwise.
TEST(RuleTable, TheOptionsOfARuleKeepTheirRole) {
  const RuleTable table = standard_rules().with(row_family());
  OptimizerOptions o(table);
  OptionList list;
  describe(list, o);
  for (const Option& option : list.options()) {
    EXPECT_EQ(option.is(Role::kResumable), option.name == "log_rows") << option.name;
    EXPECT_EQ(option.repeats(), option.name == "log_rows") << option.name;
  }
}

TEST(RuleTable, ANameThatIsTakenIsRefused) {
  EXPECT_EQ(option_error([] { standard_rules().with(row_family("lion")); }),
            "there is an update rule lion already; wanted another name");
}

// A program resets its options by assignment while its flags stay.
TEST(RuleTable, AListOutlivesAnAssignment) {
  OptimizerOptions o("sgd", {{"momentum", "0.5"}});
  OptionList list;
  describe(list, o);
  o = {};
  EXPECT_EQ(list.find("momentum")->text(), "auto");
  list.set("momentum", "0.25");
  EXPECT_EQ(o.get("momentum"), "0.25");
}

}  // namespace
}  // namespace signstep
