// SPDX-License-Identifier: Apache-2.0
#include "signstep/experiment/experiment_reader.h"

#include <algorithm>

#include "signstep/base/error.h"
#include "signstep/base/number.h"
#include "signstep/base/option.h"
#include "signstep/io/label.h"
#include "signstep/options/train_options.h"

namespace signstep {
namespace {

const OptionList& train_options() {
  static TrainOptions options;
  static const OptionList list = option_list(options);
  return list;
}

}  // namespace

void ExperimentReader::fail(const toml::source_region& at, const std::string& what) const {
  throw OptionError(fmt::format("{}:{}:{}: {}", path_, at.begin.line, at.begin.column, what));
}

void ExperimentReader::fail(const std::string& what) const { throw OptionError(fmt::format("{}: {}", path_, what)); }

void ExperimentReader::only(const toml::table& table, const std::vector<std::string>& known) const {
  for (const auto& [key, node] : table) {
    if (std::find(known.begin(), known.end(), key.str()) != known.end()) continue;
    const std::string near = nearest_name(key.str(), known);
    fail(key.source(), fmt::format("unknown key '{}'; {}", key.str(),
                                   near.empty() ? fmt::format("there are {}", fmt::join(known, ", "))
                                                : fmt::format("did you mean '{}'?", near)));
  }
}

std::string ExperimentReader::scalar(const toml::node& node, std::string_view key) const {
  if (const auto* v = node.as_boolean()) return v->get() ? "true" : "false";
  if (const auto* v = node.as_integer()) return std::to_string(v->get());
  if (const auto* v = node.as_floating_point()) return fmt::format("{}", v->get());
  if (const auto* v = node.as_string()) return v->get();
  fail(node.source(), fmt::format("{} is no single value; wanted text, a number or true or false", key));
}

std::string ExperimentReader::text(const toml::table& table, std::string_view key, const std::string& otherwise,
                                   size_t most) const {
  const toml::node* node = table.get(key);
  if (node == nullptr) return otherwise;
  if (!node->is_string()) fail(node->source(), fmt::format("{} is no text; write it in quotes", key));
  const std::string value = node->as_string()->get(), problem = label_problem(value, most);
  if (!problem.empty()) fail(node->source(), fmt::format("{} {}", key, problem));
  return value;
}

bool ExperimentReader::flag(const toml::table& table, std::string_view key) const {
  const toml::node* node = table.get(key);
  if (node == nullptr) return false;
  if (!node->is_boolean()) fail(node->source(), fmt::format("{} is neither true nor false", key));
  return node->as_boolean()->get();
}

std::vector<std::string> ExperimentReader::list(const toml::table& table, std::string_view key) const {
  const toml::node* node = table.get(key);
  if (node == nullptr) return {};
  const toml::array* array = node->as_array();
  if (array == nullptr) fail(node->source(), fmt::format("{} is no list; write [a, b, ...]", key));
  std::vector<std::string> values;
  for (const toml::node& element : *array) {
    values.push_back(scalar(element, key));
    const std::string problem = label_problem(values.back(), kNoteLength);
    if (!problem.empty()) fail(element.source(), fmt::format("a value of {} {}", key, problem));
  }
  return values;
}

std::vector<uint64_t> ExperimentReader::seeds(const toml::table& table, std::string_view key) const {
  std::vector<uint64_t> out;
  for (const std::string& value : list(table, key)) {
    const auto seed = parse_integer(value);
    if (!seed || *seed < 0)
      fail(table.get(key)->source(), fmt::format("{} holds '{}'; wanted whole numbers", key, value));
    out.push_back(static_cast<uint64_t>(*seed));
  }
  if (std::set(out.begin(), out.end()).size() != out.size())
    fail(table.get(key)->source(), fmt::format("{} holds a seed twice", key));
  return out;
}

const toml::table* ExperimentReader::table(const toml::table& parent, std::string_view key) const {
  const toml::node* node = parent.get(key);
  if (node == nullptr) return nullptr;
  if (!node->is_table()) fail(node->source(), fmt::format("{} is no table; write [{}] and its keys below", key, key));
  return node->as_table();
}

Settings ExperimentReader::settings(const toml::table& table, const std::set<std::string>& without) const {
  Settings out;
  for (const auto& [key, node] : table) {
    const std::string option(key.str());
    if (without.contains(option)) continue;
    require_option(option, key.source());
    const bool array = node.is_array() && train_options().find(option)->type == OptionType::kList;
    out.emplace_back(option, array ? fmt::format("{}", fmt::join(list(table, option), ",")) : scalar(node, option));
    canonical(option, out.back().second, node.source());
  }
  return out;
}

std::vector<GridAxis> ExperimentReader::axes(const toml::table* table) const {
  std::vector<GridAxis> out;
  if (table == nullptr) return out;
  for (const auto& [key, node] : *table) {
    const std::string option(key.str());
    require_option(option, key.source());
    GridAxis axis{option, list(*table, option)};
    if (axis.values.empty())
      fail(node.source(), fmt::format("the grid is empty: {} has no values; give at least one", option));
    std::set<std::string> seen;
    for (const std::string& value : axis.values)
      if (!seen.insert(canonical(option, value, node.source())).second)
        fail(node.source(), fmt::format("{} holds a value twice; leave one out", option));
    out.push_back(std::move(axis));
  }
  return out;
}

std::string ExperimentReader::canonical(const std::string& option, const std::string& value,
                                        const toml::source_region& at) const {
  TrainOptions options;
  const OptionList list = option_list(options);
  try {
    list.find(option)->parse(value);
  } catch (const OptionError& e) {
    fail(at, e.what());
  }
  return list.find(option)->text();
}

void ExperimentReader::require_option(const std::string& option, const toml::source_region& at) const {
  if (train_options().has_role(option, Role::kProtocol)) {
    fail(at, fmt::format("{} is set for each run by the protocol; leave it out{}", option,
                         option == "seed" ? " and list seeds = [...] at the top" : ""));
  }
  if (train_options().find(option) != nullptr) return;
  std::vector<std::string> known;
  for (const Option& o : train_options().options()) known.push_back(o.name);
  const std::string near = nearest_name(option, known);
  fail(at,
       fmt::format("unknown option '{}'; {}", option,
                   near.empty() ? "signstep train --help-all has them all" : fmt::format("did you mean '{}'?", near)));
}

}  // namespace signstep
