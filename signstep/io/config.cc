// SPDX-License-Identifier: Apache-2.0
#include "signstep/io/config.h"

#include <toml++/toml.h>

#include <cctype>
#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>
#include <set>

#include "signstep/base/error.h"
#include "signstep/io/atomic_file.h"
#include "signstep/io/toml_limits.h"

namespace signstep {
namespace {

// A value in the form that Option::parse reads.
std::string scalar_text(std::string_view key, const toml::node& node) {
  if (const auto* v = node.as_boolean()) return v->get() ? "true" : "false";
  if (const auto* v = node.as_integer()) return std::to_string(v->get());
  if (const auto* v = node.as_floating_point()) return fmt::format("{}", v->get());
  if (const auto* v = node.as_string()) return v->get();
  if (node.is_table()) {
    throw OptionError(fmt::format("{} is a table; wanted every option at the top level, without [{}]", key, key));
  }
  throw OptionError(fmt::format("{} is {}; wanted one value", key, node.is_array() ? "an array" : "a date or a time"));
}

// A list of values as an array has it, in the form that Option::parse reads.
std::string array_text(std::string_view key, const toml::array& array) {
  std::vector<std::string> values;
  for (const toml::node& element : array) values.push_back(scalar_text(key, element));
  return fmt::format("{}", fmt::join(values, ","));
}

// Sets one option. A list may be text or an array.
void set(OptionList& options, std::string_view key, const toml::node& node) {
  const Option* option = options.find(key);
  const bool array = node.is_array() && option != nullptr && option->type == OptionType::kList;
  options.set(key, array ? array_text(key, *node.as_array()) : scalar_text(key, node));
}

// Calls take(key, node) for each; its OptionErrors, too, get file, line and column.
void for_each_value(const std::string& text, const std::string& name,
                    const std::function<void(std::string_view, const toml::node&)>& take) {
  require_toml_limits(text, name);
  toml::table table;
  try {
    table = toml::parse(text, name);
  } catch (const toml::parse_error& e) {
    throw OptionError(
        fmt::format("{}:{}:{}: {}", name, e.source().begin.line, e.source().begin.column, e.description()));
  }
  for (const auto& [key, node] : table) {
    try {
      take(key.str(), node);
    } catch (const OptionError& e) {
      const auto at = key.source().begin;
      throw OptionError(fmt::format("{}:{}:{}: {}", name, at.line, at.column, e.what()));
    }
  }
}

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

// Lists too: files have always held them as text.
bool is_text(const Option& option, const std::string& text) {
  return option.type == OptionType::kText || option.type == OptionType::kList || text == "auto";
}

std::string toml_value(const Option& option) {
  const std::string text = option.text();
  if (is_text(option, text)) return quoted(text);
  return text;
}

}  // namespace

void parse_toml(const std::string& text, const std::string& name, OptionList& options) {
  for_each_value(text, name, [&](std::string_view key, const toml::node& node) { set(options, key, node); });
}

std::map<std::string, std::string> read_toml_values(const std::string& path) {
  std::map<std::string, std::string> values;
  for_each_value(read_text_file(path), path,
                 [&](std::string_view key, const toml::node& node) { values.emplace(key, scalar_text(key, node)); });
  return values;
}

void read_toml(const std::string& path, OptionList& options) { parse_toml(read_text_file(path), path, options); }

void read_recorded_toml(const std::string& path, OptionList& options) {
  std::set<std::string> named;
  for_each_value(read_text_file(path), path, [&](std::string_view key, const toml::node& node) {
    set(options, key, node);
    named.emplace(key);
  });
  options.set_absent([&](const std::string& name) { return named.contains(name); });
}

void from_recorded_json(const nlohmann::json& object, OptionList& options) {
  from_json(object, options);
  options.set_absent([&](const std::string& name) { return object.contains(name); });
}

std::string to_toml(const OptionList& options, const std::string& title) {
  std::string out = fmt::format("# {}\n", title);
  std::string group;
  for (const Option& option : options.options()) {
    if (option.group != group) out += fmt::format("\n## {}\n", group = option.group);
    out += fmt::format("{} = {}  # {}\n", option.name, toml_value(option), option.help);
  }
  return out;
}

nlohmann::ordered_json to_json(const OptionList& options) {
  nlohmann::ordered_json object = nlohmann::ordered_json::object();
  for (const Option& option : options.options()) {
    const std::string text = option.text();
    if (is_text(option, text)) {
      object[option.name] = text;
    } else {
      object[option.name] = nlohmann::ordered_json::parse(text);
    }
  }
  return object;
}

void from_json(const nlohmann::json& object, OptionList& options) {
  if (!object.is_object())
    throw OptionError("the options are not a JSON object; was the file written by this program?");
  for (const auto& [name, value] : object.items()) {
    if (value.is_string()) {
      options.set(name, value.get<std::string>());
    } else if (value.is_primitive() && !value.is_null()) {
      options.set(name, value.dump());
    } else {
      throw OptionError(fmt::format("option {} is neither text, number nor boolean; give one value", name));
    }
  }
}

}  // namespace signstep
