// SPDX-License-Identifier: Apache-2.0
// Which update rule of a table, and what it was told, by the options' names: one value for all families that have the
// option. docs/algorithms.md has every equation.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "signstep/optim/rule_table.h"

namespace signstep {

class OptimizerOptions {
 public:
  using Values = std::map<std::string, std::string, std::less<>>;

  OptimizerOptions();  // the standard rules' standard, Signum
  // The table must outlive this and its copies.
  explicit OptimizerOptions(const RuleTable& rules);
  // A standard rule: OptimizerOptions("sgd", {{"momentum", "0"}}). Throws OptionError.
  explicit OptimizerOptions(std::string_view rule, const Values& values = {});

  const RuleTable& rules() const { return *rules_; }
  const RuleName& rule() const { return rules_->rule(rule_); }
  bool takes_sign() const { return own()->switched().has_value(); }
  // The value as text, "auto" where it is none yet; option: "optimizer" or one of rules().options(). Throws
  // OptionError.
  std::string get(std::string_view option) const;
  void set(std::string_view option, std::string_view value);
  // The options of the chosen rule as they are set. Throws OptionError.
  std::unique_ptr<RuleOptions> own() const;
  // The same of any family of the table, for its first rule where none of its rules is chosen.
  std::unique_ptr<RuleOptions> told(const RuleFamily& family) const;

 private:
  const RuleTable* rules_;
  std::string rule_;
  Values values_;  // those that were set
};

// The list stays good when options is assigned other values of the same table.
void describe(OptionList& list, OptimizerOptions& options);

// Fills what is auto in all three with documented defaults. Refuses what the chosen rule does not have (a momentum for
// SignSGD, an L2 penalty for AdamW, dither for SGD) and what does not go together. Throws OptionError.
void resolve(OptimizerOptions& optimizer, DitherOptions& dither, SwitchOptions& switching);

}  // namespace signstep
