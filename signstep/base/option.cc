// SPDX-License-Identifier: Apache-2.0
#include "signstep/base/option.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "signstep/base/duration.h"
#include "signstep/base/error.h"
#include "signstep/base/number.h"
#include "signstep/base/text.h"

namespace signstep {
namespace {

[[noreturn]] void reject(const Option& option, std::string_view seen, const std::string& near = "") {
  throw OptionError(fmt::format("{} is '{}'; wanted {}{}", option.name, seen, option.wanted,
                                near.empty() ? "" : fmt::format("; did you mean '{}'?", near)));
}

std::string with_unit(const std::string& what, const Range& range, const std::string& unit) {
  const std::string bounds = range.text();
  return what + (bounds.empty() ? "" : " " + bounds) + (unit.empty() ? "" : " (" + unit + ")");
}

}  // namespace

bool Range::contains(double value) const {
  return (low_open ? value > low : value >= low) && (high_open ? value < high : value <= high);
}

std::string Range::text() const {
  const bool has_low = std::isfinite(low), has_high = std::isfinite(high);
  if (has_low && has_high) return fmt::format("in {}{}, {}{}", low_open ? '(' : '[', low, high, high_open ? ')' : ']');
  if (has_low) return fmt::format("{} {}", low_open ? "greater than" : "at least", low);
  if (has_high) return fmt::format("{} {}", high_open ? "less than" : "at most", high);
  return "";
}

std::string Option::flag() const {
  std::string flag = "--" + name;
  std::replace(flag.begin(), flag.end(), '_', '-');
  return flag;
}

Option& Option::role(Role role) {
  roles |= static_cast<unsigned>(role);
  return *this;
}

Option& Option::open_as(std::string value) {
  open = std::move(value);
  return *this;
}

bool Option::is(Role role) const { return (roles & static_cast<unsigned>(role)) != 0; }

OptionList& OptionList::group(std::string name) {
  group_ = std::move(name);
  return *this;
}

Option& OptionList::add(Option option) {
  option.group = group_;
  options_.push_back(std::move(option));
  return options_.back();
}

Option& OptionList::add(std::string name, OptionType type, std::string unit, std::string help, std::string wanted) {
  return add({std::move(name), group_, std::move(unit), std::move(help), std::move(wanted), type, {}, {}, {}, {}, 0});
}

Option& OptionList::flag(std::string name, bool& value, std::string help) {
  Option& option = add(std::move(name), OptionType::kFlag, "", std::move(help), "true or false");
  option.text = [&value] { return value ? "true" : "false"; };
  option.parse = [&value, self = option](std::string_view text) {
    if (text != "true" && text != "false") reject(self, text);
    value = text == "true";
  };
  return option;
}

Option& OptionList::integer(std::string name, int64_t& value, Range range, std::string unit, std::string help) {
  Option& option =
      add(std::move(name), OptionType::kInteger, unit, std::move(help), with_unit("a whole number", range, unit));
  option.text = [&value] { return std::to_string(value); };
  option.parse = [&value, range, self = option](std::string_view text) {
    const auto parsed = parse_integer(text);
    if (!parsed || !range.contains(static_cast<double>(*parsed))) reject(self, text);
    value = *parsed;
  };
  return option;
}

Option& OptionList::seed(std::string name, uint64_t& value, std::string help) {
  // TOML integers are signed 64-bit, so a seed stays below 2^63 to survive the resolved configuration.
  Option& option = add(std::move(name), OptionType::kInteger, "", std::move(help), "a whole number in [0, 2^63)");
  option.text = [&value] { return std::to_string(value); };
  option.parse = [&value, self = option](std::string_view text) {
    const auto parsed = parse_integer(text);
    if (!parsed || *parsed < 0) reject(self, text);
    value = static_cast<uint64_t>(*parsed);
  };
  return option;
}

Option& OptionList::number(std::string name, double& value, Range range, std::string unit, std::string help) {
  Option& option = add(std::move(name), OptionType::kNumber, unit, std::move(help), with_unit("a number", range, unit));
  option.text = [&value] { return fmt::format("{}", value); };
  option.parse = [&value, range, self = option](std::string_view text) {
    const auto parsed = parse_number(text);
    if (!parsed || !std::isfinite(*parsed) || !range.contains(*parsed)) reject(self, text);
    value = *parsed;
  };
  return option;
}

Option& OptionList::number_or_auto(std::string name, std::optional<double>& value, Range range, std::string unit,
                                   std::string help) {
  Option& option =
      add(std::move(name), OptionType::kNumber, unit, std::move(help), with_unit("auto or a number", range, unit));
  option.text = [&value] { return value ? fmt::format("{}", *value) : "auto"; };
  option.parse = [&value, range, self = option](std::string_view text) {
    if (text == "auto") {
      value.reset();
      return;
    }
    const auto parsed = parse_number(text);
    if (!parsed || !std::isfinite(*parsed) || !range.contains(*parsed)) reject(self, text);
    value = *parsed;
  };
  return option;
}

Option& OptionList::text(std::string name, std::string& value, std::string help) {
  Option& option =
      add(std::move(name), OptionType::kText, "", std::move(help), "UTF-8 text without control characters");
  option.text = [&value] { return value; };
  option.parse = [&value, self = option](std::string_view text) {
    const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
    if (std::any_of(text.begin(), text.end(), control) || !is_utf8(text)) reject(self, text);
    value = text;
  };
  return option;
}

Option& OptionList::duration(std::string name, double& seconds, std::string help) {
  Option& option = add(std::move(name), OptionType::kText, "", std::move(help),
                       "a length of time such as 90s, 15m, 3h50m or 2d (0: none)");
  option.text = [&seconds] { return format_duration(seconds); };
  option.parse = [&seconds, self = option](std::string_view text) {
    const auto parsed = parse_duration(text);
    if (!parsed) reject(self, text);
    seconds = *parsed;
  };
  return option;
}

template <class T>
Option& OptionList::list(std::string name, std::vector<T>& values, const ListRange& range, std::string wanted,
                         std::string help) {
  Option& option = add(std::move(name), OptionType::kList, "", std::move(help), std::move(wanted));
  option.text = [&values] { return fmt::format("{}", fmt::join(values, ",")); };
  option.parse = [&values, range, self = option](std::string_view text) {
    const auto fits = [&](T v) {
      const auto value = static_cast<double>(v);
      return std::isfinite(value) && range.each.contains(value);
    };
    const bool cut = range.comma_may_end && text.size() > 1 && text.ends_with(',');
    const auto parsed = parse_list<T>(text.substr(0, text.size() - (cut ? 1 : 0)));
    if (!parsed || parsed->size() < range.least || !std::all_of(parsed->begin(), parsed->end(), fits)) {
      reject(self, text);
    }
    const bool falls = std::adjacent_find(parsed->begin(), parsed->end(), std::greater_equal<>()) != parsed->end();
    if (range.rising && falls) reject(self, text);
    values = *parsed;
  };
  return option;
}

Option& OptionList::numbers(std::string name, std::vector<double>& values, ListRange range, std::string wanted,
                            std::string help) {
  return list(std::move(name), values, range, std::move(wanted), std::move(help));
}

Option& OptionList::integers(std::string name, std::vector<int64_t>& values, ListRange range, std::string wanted,
                             std::string help) {
  return list(std::move(name), values, range, std::move(wanted), std::move(help));
}

Option& OptionList::choice_name(std::string name, std::function<std::string()> get, std::function<void(size_t)> set,
                                std::vector<std::string> names, std::string help) {
  Option& option =
      add(std::move(name), OptionType::kText, "", std::move(help), fmt::format("one of {}", fmt::join(names, ", ")));
  option.text = std::move(get);
  option.parse = [set = std::move(set), names = std::move(names), self = option](std::string_view text) {
    const auto found = std::find(names.begin(), names.end(), text);
    if (found == names.end()) reject(self, text, nearest_name(text, names));
    set(static_cast<size_t>(found - names.begin()));
  };
  return option;
}

Option& OptionList::choice_index(std::string name, std::function<size_t()> get, std::function<void(size_t)> set,
                                 std::vector<std::string> names, std::string help) {
  return choice_name(
      std::move(name),
      [get = std::move(get), names] {
        return get() < names.size() ? names[get()] : fmt::format("enumerator {}", get());
      },
      std::move(set), names, std::move(help));
}

Option& OptionList::choice(std::string name, std::string& value, std::vector<std::string> names, std::string help) {
  return choice_name(
      std::move(name), [&value] { return value; }, [&value, names](size_t i) { value = names[i]; }, names,
      std::move(help));
}

const Option* OptionList::find(std::string_view name) const {
  const auto found = std::find_if(options_.begin(), options_.end(), [&](const Option& o) { return o.name == name; });
  return found == options_.end() ? nullptr : &*found;
}

bool OptionList::has_role(std::string_view name, Role role) const {
  const Option* option = find(name);
  return option != nullptr && option->is(role);
}

void OptionList::set(std::string_view name, std::string_view value) {
  if (const Option* option = find(name)) return option->parse(value);
  std::vector<std::string> known;
  for (const Option& option : options_) known.push_back(option.name);
  const std::string near = nearest_name(name, known);
  throw OptionError(
      fmt::format("unknown option '{}'{}", name, near.empty() ? "" : fmt::format("; did you mean '{}'?", near)));
}

void OptionList::set_absent(const std::function<bool(const std::string&)>& is_named) {
  for (const Option& option : options_) {
    const std::string older = option.older ? option.older() : "";
    if (!older.empty() && !is_named(option.name)) option.parse(older);
  }
}

void OptionList::validate() const {
  for (const Option& option : options_) option.parse(option.text());
}

std::string OptionList::to_text() const {
  std::string all;
  for (const Option& option : options_) all += fmt::format("{} = {}\n", option.name, option.text());
  return all;
}

std::string nearest_name(std::string_view name, const std::vector<std::string>& known) {
  std::string best;
  size_t best_distance = std::max<size_t>(2, name.size() / 3) + 1;
  for (const std::string& candidate : known) {
    std::vector<size_t> row(candidate.size() + 1);
    std::iota(row.begin(), row.end(), size_t{0});
    for (size_t i = 1; i <= name.size(); ++i) {
      size_t diagonal = row[0];
      row[0] = i;
      for (size_t j = 1; j <= candidate.size(); ++j) {
        const size_t replace = diagonal + (name[i - 1] != candidate[j - 1]);
        diagonal = row[j];
        row[j] = std::min({row[j] + 1, row[j - 1] + 1, replace});
      }
    }
    if (row.back() < best_distance) {
      best_distance = row.back();
      best = candidate;
    }
  }
  return best;
}

}  // namespace signstep
