// SPDX-License-Identifier: Apache-2.0
#include "cli/flags.h"

#include <algorithm>
#include <array>
#include <memory>

#include "cli/command_tree.h"
#include "cli/engines.h"
#include "signstep/base/error.h"

namespace signstep::cli {
namespace {

const char* type_name(OptionType type) {
  switch (type) {
    case OptionType::kFlag: break;
    case OptionType::kInteger: return "N";
    case OptionType::kNumber: return "X";
    case OptionType::kText: return "TEXT";
    case OptionType::kList: return "LIST";
  }
  return "";
}

// The names that it takes, where these can be listed.
std::vector<std::string> values_of(const Option& option) {
  std::vector<std::string> values;
  if (option.name == "engine") {  // its names are those of the program's table
    values = {"auto"};
    for (const EngineRecord& engine : engines()) values.push_back(engine.name);
  } else if (constexpr std::string_view kOneOf = "one of "; option.wanted.starts_with(kOneOf)) {
    for (size_t at = kOneOf.size(), end = 0; end != std::string::npos; at = end + 2) {
      end = option.wanted.find(", ", at);
      values.push_back(option.wanted.substr(at, end - at));
    }
  }
  return values;
}

// What help says beyond the option's own words: choices and units; ranges come with the error.
std::string help_text(const Option& option) {
  std::string text = option.help;
  if (const auto values = values_of(option); !values.empty()) text += fmt::format(": {}", fmt::join(values, ", "));
  if (!option.unit.empty()) text += " (" + option.unit + ")";
  return text;
}

}  // namespace

Flags::Flags(CLI::App& app, OptionList list) : list_(std::move(list)) {
  for (const Option& option : list_.options()) {
    const auto remember = [this, name = option.name](const std::string& value) { given_.emplace_back(name, value); };
    const std::string now = option.text();
    if (option.type == OptionType::kFlag) {
      const std::string opposite = "--no-" + option.flag().substr(2);
      const std::string standard = now == "true" ? fmt::format(" (on; {} turns it off)", opposite) : "";
      // CLI11 calls back in the order of definition; of the two it is the last that was given that counts.
      const auto both = std::make_shared<std::array<const CLI::Option*, 2>>();
      const auto last_of_both = [both, remember, &app] {
        const std::vector<CLI::Option*>& given = app.parse_order();
        const auto last = std::find_first_of(given.rbegin(), given.rend(), both->begin(), both->end());
        remember(last != given.rend() && *last == both->front() ? "true" : "false");
      };
      both->front() = app.add_flag_callback(option.flag(), last_of_both, option.help + standard)->group(option.group);
      both->back() = app.add_flag_callback(opposite, last_of_both)->group("");  // works, and is not listed
      continue;
    }
    CLI::Option* flag = app.add_option_function<std::string>(option.flag(), remember, help_text(option));
    flag->type_name(type_name(option.type));
    flag->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);  // as shells' aliases expect
    if (!now.empty()) flag->default_str(now);
    flag->group(option.group);
    if (auto values = values_of(option); !values.empty()) offer(flag, std::move(values));
  }
}

void Flags::apply() {
  for (const auto& [name, value] : given_) {
    try {
      list_.set(name, value);
    } catch (const OptionError& e) {
      throw OptionError(fmt::format("{}: {}", list_.find(name)->flag(), e.what()));
    }
  }
}

}  // namespace signstep::cli
