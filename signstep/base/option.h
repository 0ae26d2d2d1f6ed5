// SPDX-License-Identifier: Apache-2.0
// One description of each option. An options aggregate lists its fields once, in describe(OptionList&), and that list
// serves flags, TOML, JSON, checkpoints, Python and error messages alike.
//
//   struct Options { double learning_rate = 0.1; };
//   void describe(OptionList& list, Options& o) {
//     list.number("learning_rate", o.learning_rate, Range::positive(), "per step", "step size");
//   }
//
// Names are snake_case: the TOML and JSON key; the flag is the same with dashes. The list points into the aggregate,
// which must outlive it.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace signstep {

struct Range {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  bool low_open = false;
  bool high_open = false;

  static Range positive() { return {.low = 0, .low_open = true}; }
  static Range at_least(double low) { return {.low = low}; }
  static Range closed(double low, double high) { return {.low = low, .high = high}; }
  static Range fraction() { return {.low = 0, .high = 1, .high_open = true}; }  // [0, 1)

  bool contains(double value) const;  // false for NaN
  std::string text() const;           // "in [0, 1)", "greater than 0", "at least 1"
};

struct ListRange {
  Range each;
  size_t least = 0;     // elements
  bool rising = false;  // strictly
  bool comma_may_end = false;
};

enum class OptionType { kFlag, kInteger, kNumber, kText, kList };

// What an option is to a run; it may be several. Without any it is part of what the run is.
enum class Role : unsigned {
  kResumable = 1,    // a resumed run may change it and stay the same run
  kProtocol = 2,     // an experiment sets it for each of its runs
  kRepetition = 4,   // runs that differ in it alone repeat each other, as those that differ in what is resumable do
  kSession = 8,      // of the process, and no part of any run
  kExtendable = 16,  // a resumed run may raise it where nothing depends on it
  kCommon = 32,      // what most people use: the short help shows it
};

struct Option {
  std::string name, group, unit, help;
  std::string wanted;  // "a number greater than 0 (per step)"
  OptionType type = OptionType::kText;
  std::function<std::string()> text;            // the value now, in the form that parse reads
  std::function<void(std::string_view)> parse;  // throws OptionError and leaves the value alone
  // What a record that was written before the option existed means, as text, where that is not the default: a function,
  // because it may depend on the others. "" is the default.
  std::function<std::string()> older;
  std::string open;  // the value that leaves the choice to the machine when a run starts; "": none does

  std::string flag() const;  // "--learning-rate"
  Option& role(Role role);   // adds it
  Option& open_as(std::string value);
  bool is(Role role) const;
  bool repeats() const { return is(Role::kResumable) || is(Role::kRepetition); }

  unsigned roles = 0;  // bits of Role
};

class OptionList {
 public:
  OptionList& group(std::string name);

  // Each adds an option and returns it for its role; it stays where it is until the next is added.
  Option& flag(std::string name, bool& value, std::string help);
  Option& integer(std::string name, int64_t& value, Range range, std::string unit, std::string help);
  Option& seed(std::string name, uint64_t& value, std::string help);
  Option& number(std::string name, double& value, Range range, std::string unit, std::string help);
  // "auto" stands for no value: resolved later, by a documented rule.
  Option& number_or_auto(std::string name, std::optional<double>& value, Range range, std::string unit,
                         std::string help);
  Option& text(std::string name, std::string& value, std::string help);
  // "90", "90s", "15m", "3h50m", "2d"; 0 means none. Kept in seconds.
  Option& duration(std::string name, double& seconds, std::string help);
  // "0.5,0.75". wanted: the list in words, for the error.
  Option& numbers(std::string name, std::vector<double>& values, ListRange range, std::string wanted, std::string help);
  Option& integers(std::string name, std::vector<int64_t>& values, ListRange range, std::string wanted,
                   std::string help);
  // Enumerators are 0, 1, ... in the order of names.
  template <class Enum>
  Option& choice(std::string name, Enum& value, std::vector<std::string> names, std::string help) {
    return choice_index(
        std::move(name), [&value] { return static_cast<size_t>(value); },
        [&value](size_t i) { value = static_cast<Enum>(i); }, std::move(names), std::move(help));
  }
  // A value that is kept as the name of an entry in somebody's table.
  Option& choice(std::string name, std::string& value, std::vector<std::string> names, std::string help);

  // One that says and reads its value by itself; it joins the group.
  Option& add(Option option);

  const std::vector<Option>& options() const { return options_; }
  const Option* find(std::string_view name) const;
  bool has_role(std::string_view name, Role role) const;  // false for an unknown name
  // Sets one option from text. Throws OptionError for an unknown name (with the nearest known one) or a bad value.
  void set(std::string_view name, std::string_view value);
  // To be called after the options of a record have been set, with their names: gives each of the others what the
  // record means by its silence (Option::older).
  void set_absent(const std::function<bool(const std::string&)>& is_named);
  // Parses every value's own text again, so that values set from C++ meet the same ranges.
  void validate() const;
  // "name = value" lines, in the order of description.
  std::string to_text() const;

 private:
  Option& add(std::string name, OptionType type, std::string unit, std::string help, std::string wanted);
  Option& choice_index(std::string name, std::function<size_t()> get, std::function<void(size_t)> set,
                       std::vector<std::string> names, std::string help);
  Option& choice_name(std::string name, std::function<std::string()> get, std::function<void(size_t)> set,
                      std::vector<std::string> names, std::string help);
  template <class T>
  Option& list(std::string name, std::vector<T>& values, const ListRange& range, std::string wanted, std::string help);

  std::string group_;
  std::vector<Option> options_;
};

// The known name nearest to a misspelt one (Levenshtein 1966), or "" when none is near.
std::string nearest_name(std::string_view name, const std::vector<std::string>& known);

}  // namespace signstep
