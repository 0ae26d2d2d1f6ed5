// SPDX-License-Identifier: Apache-2.0
// Which update rules there are. A table is a value that is handed down: who has a rule of their own adds it with
// with(), and gives TrainOptions the result.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "signstep/optim/rule.h"

namespace signstep {

struct RuleName {
  std::string name;     // "adamw": of the option optimizer
  std::string display;  // "AdamW": of the literature, for people
};

struct RuleFamily {
  std::vector<RuleName> rules;
  // Options with their defaults for one of them, by name.
  std::function<std::unique_ptr<RuleOptions>(const std::string& rule)> options;
};

class RuleTable {
 public:
  // standard: the rule of who chooses none.
  RuleTable(std::vector<RuleFamily> families, std::string standard);
  // The same and one more family. Throws OptionError where a name is taken.
  RuleTable with(RuleFamily family) const;

  const std::vector<RuleFamily>& families() const { return families_; }
  const std::string& standard() const { return standard_; }
  std::vector<std::string> names() const;
  // Throws OptionError, with the nearest name, where there is none.
  const RuleName& rule(std::string_view name) const;
  const RuleFamily& family_of(std::string_view name) const;
  std::unique_ptr<RuleOptions> options_of(const std::string& name) const;

  // All options of all families, those of one name once: described as by the first family that has it, with what others
  // add to its help. An option stands behind the one that it follows in its family. text() is the default, parse()
  // checks a text and leaves it to text() to say in one form.
  std::vector<Option> options() const;

 private:
  std::vector<RuleFamily> families_;
  std::string standard_;
};

// "A; auto: B" and "A; auto: C" are "A; auto: B, C" to who sees both.
std::string joined_help(const std::string& first, const std::string& other);

}  // namespace signstep
