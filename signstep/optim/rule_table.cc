// SPDX-License-Identifier: Apache-2.0
#include "signstep/optim/rule_table.h"

#include <algorithm>

#include "signstep/base/error.h"

namespace signstep {
namespace {

// A family's list with the options that it points into, for as long as a copy of one of its options lives.
struct Described {
  std::unique_ptr<RuleOptions> options;
  OptionList list;
};

std::shared_ptr<const Described> described(const RuleFamily& family) {
  auto out = std::make_shared<Described>();
  out->options = family.options(family.rules.front().name);
  out->options->describe(out->list);
  return out;
}

}  // namespace

RuleTable::RuleTable(std::vector<RuleFamily> families, std::string standard)
    : families_(std::move(families)), standard_(std::move(standard)) {}

RuleTable RuleTable::with(RuleFamily family) const {
  const std::vector<std::string> taken = names();
  for (const RuleName& rule : family.rules) {
    if (std::find(taken.begin(), taken.end(), rule.name) == taken.end()) continue;
    throw OptionError(fmt::format("there is an update rule {} already; wanted another name", rule.name));
  }
  RuleTable more = *this;
  more.families_.push_back(std::move(family));
  return more;
}

std::vector<std::string> RuleTable::names() const {
  std::vector<std::string> all;
  for (const RuleFamily& family : families_)
    for (const RuleName& rule : family.rules) all.push_back(rule.name);
  return all;
}

const RuleFamily& RuleTable::family_of(std::string_view name) const {
  for (const RuleFamily& family : families_)
    for (const RuleName& rule : family.rules)
      if (rule.name == name) return family;
  const std::vector<std::string> known = names();
  const std::string near = nearest_name(name, known);
  throw OptionError(fmt::format("optimizer is '{}'; wanted one of {}{}", name, fmt::join(known, ", "),
                                near.empty() ? "" : fmt::format("; did you mean '{}'?", near)));
}

const RuleName& RuleTable::rule(std::string_view name) const {
  const std::vector<RuleName>& rules = family_of(name).rules;
  return *std::find_if(rules.begin(), rules.end(), [&](const RuleName& rule) { return rule.name == name; });
}

std::unique_ptr<RuleOptions> RuleTable::options_of(const std::string& name) const {
  return family_of(name).options(name);
}

std::vector<Option> RuleTable::options() const {
  std::vector<Option> all;
  for (const RuleFamily& family : families_) {
    const auto own = described(family);
    auto next = all.begin();
    for (const Option& option : own->list.options()) {
      const auto known = std::find_if(all.begin(), all.end(), [&](const Option& o) { return o.name == option.name; });
      if (known != all.end()) {
        known->help = joined_help(known->help, option.help);
        next = known + 1;
        continue;
      }
      Option added = option;
      added.text = [own, text = option.text] { return text(); };
      added.parse = [own, parse = option.parse](std::string_view text) { parse(text); };
      next = all.insert(next, std::move(added)) + 1;
    }
  }
  return all;
}

std::string joined_help(const std::string& first, const std::string& other) {
  constexpr std::string_view kAuto = "; auto: ";
  if (first == other) return first;
  const size_t ours = first.find(kAuto), theirs = other.find(kAuto);
  const bool same = ours != std::string::npos && theirs == ours && first.compare(0, ours, other, 0, theirs) == 0;
  return first + ", " + (same ? other.substr(theirs + kAuto.size()) : other);
}

}  // namespace signstep
