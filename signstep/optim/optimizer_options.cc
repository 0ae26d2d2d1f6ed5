// SPDX-License-Identifier: Apache-2.0
#include "signstep/optim/optimizer_options.h"

#include <algorithm>

#include "signstep/base/error.h"
#include "signstep/optim/rules/rules.h"
#include "signstep/optim/shared_options.h"

namespace signstep {
namespace {

constexpr const char* kRule = "optimizer";

// A number that the chosen rule does not have was given. Whether another option of another family does harm unused,
// that family knows.
void refuse_foreign(const OptimizerOptions& optimizer, RuleOptions& own) {
  const std::string& rule = optimizer.rule().name;
  OptionList has;
  own.describe(has);
  for (const Option& option : optimizer.rules().options()) {
    const std::string value = optimizer.get(option.name);
    if (has.find(option.name) == nullptr && option.text() == "auto" && value != "auto")
      refuse_option(option.name, value, rule, own.instead_of(option.name));
  }
  for (const RuleFamily& family : optimizer.rules().families())
    if (&family != &optimizer.rules().family_of(rule)) optimizer.told(family)->require_unused();
}

}  // namespace

OptimizerOptions::OptimizerOptions() : OptimizerOptions(standard_rules()) {}

OptimizerOptions::OptimizerOptions(const RuleTable& rules) : rules_(&rules), rule_(rules.standard()) {}

OptimizerOptions::OptimizerOptions(std::string_view rule, const Values& values) : OptimizerOptions() {
  set(kRule, rule);
  for (const auto& [name, value] : values) set(name, value);
}

std::string OptimizerOptions::get(std::string_view option) const {
  if (option == kRule) return rule_;
  if (const auto found = values_.find(option); found != values_.end()) return found->second;
  const std::unique_ptr<RuleOptions> own = rules_->options_of(rule_);
  OptionList list;
  own->describe(list);
  if (const Option* has = list.find(option)) return has->text();
  for (const Option& other : rules_->options())
    if (other.name == option) return other.text();
  throw OptionError(fmt::format("no update rule has an option '{}'", option));
}

void OptimizerOptions::set(std::string_view name, std::string_view value) {
  if (name == kRule) {
    rule_ = rules_->rule(value).name;
    return;
  }
  OptionList list;
  for (const Option& option : rules_->options()) list.add(option);
  list.set(name, value);
  const std::string text = list.find(name)->text();
  if (text != get(name)) values_.insert_or_assign(std::string(name), text);
}

std::unique_ptr<RuleOptions> OptimizerOptions::told(const RuleFamily& family) const {
  const bool chosen = &family == &rules_->family_of(rule_);
  std::unique_ptr<RuleOptions> options = family.options(chosen ? rule_ : family.rules.front().name);
  OptionList list;
  options->describe(list);
  for (const auto& [name, value] : values_) {
    const Option* option = list.find(name);
    if (option == nullptr) continue;
    try {
      option->parse(value);
    } catch (const OptionError&) {
      if (chosen) throw;  // what another family could not take is not its business
    }
  }
  return options;
}

std::unique_ptr<RuleOptions> OptimizerOptions::own() const { return told(rules_->family_of(rule_)); }

void describe(OptionList& list, OptimizerOptions& o) {
  list.group("Optimizer");
  Option choice;
  choice.name = kRule;
  choice.role(Role::kCommon);
  choice.help = "update rule";
  choice.wanted = fmt::format("one of {}", fmt::join(o.rules().names(), ", "));
  std::vector<Option> all = o.rules().options();
  all.insert(all.begin(), choice);
  for (Option& option : all) {
    option.text = [&o, name = option.name] { return o.get(name); };
    option.parse = [&o, name = option.name](std::string_view text) { o.set(name, text); };
    list.add(std::move(option));
  }
}

void resolve(OptimizerOptions& optimizer, DitherOptions& dither, SwitchOptions& switching) {
  const std::unique_ptr<RuleOptions> own = optimizer.own();
  refuse_foreign(optimizer, *own);
  own->resolve();
  OptionList list;
  own->describe(list);
  for (const Option& option : list.options()) optimizer.set(option.name, option.text());

  const std::string& display = optimizer.rule().display;
  const std::optional<SwitchedRule> sign = own->switched();
  dither = resolved(dither);
  if (dither.dither != DitherKind::kNone && !sign) {
    throw OptionError(
        fmt::format("dither is on and {} has no dither; leave it out, or choose signsgd, signum or lion", display));
  }
  switching = sign ? resolved(switching, *sign, dither) : resolved_without_sign(switching, display);
}

}  // namespace signstep
