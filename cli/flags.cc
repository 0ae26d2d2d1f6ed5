// SPDX-License-Identifier: Apache-2.0
#include "cli/flags.h"

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

// What help says beyond the option's own words: choices and units; ranges come with the error.
std::string help_text(const Option& option) {
  std::string text = option.help;
  if (option.wanted.starts_with("one of ")) text += ": " + option.wanted.substr(7);
  if (option.name == "engine") {  // its names are those of the program's table
    text += ": auto";
    for (const EngineRecord& engine : engines()) text += ", " + engine.name;
  }
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
      app.add_flag_callback(
             option.flag(), [remember] { remember("true"); }, option.help + standard)
          ->group(option.group);
      app.add_flag_callback(opposite, [remember] { remember("false"); })->group("");  // works, and is not listed
      continue;
    }
    CLI::Option* flag = app.add_option_function<std::string>(option.flag(), remember, help_text(option));
    flag->type_name(type_name(option.type));
    flag->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);  // as shells' aliases expect
    if (!now.empty()) flag->default_str(now);
    flag->group(option.group);
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
