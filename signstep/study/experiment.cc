// SPDX-License-Identifier: Apache-2.0
#include "signstep/study/experiment.h"

#include <toml++/toml.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "signstep/core/error.h"
#include "signstep/core/option.h"
#include "signstep/io/atomic_file.h"
#include "signstep/io/toml_limits.h"

namespace signstep {
namespace {

// Reads one file and knows where in it everything stands.
class Reader {
 public:
  explicit Reader(std::string path) : path_(std::move(path)) {}

  [[noreturn]] void fail(const toml::source_region& at, const std::string& what) const {
    throw OptionError(fmt::format("{}:{}:{}: {}", path_, at.begin.line, at.begin.column, what));
  }
  [[noreturn]] void fail(const std::string& what) const { throw OptionError(fmt::format("{}: {}", path_, what)); }

  void only(const toml::table& table, const std::vector<std::string>& known) const {
    for (const auto& [key, node] : table) {
      if (std::find(known.begin(), known.end(), key.str()) != known.end()) continue;
      const std::string near = nearest_name(key.str(), known);
      fail(key.source(), fmt::format("unknown key '{}'; {}", key.str(),
                                     near.empty() ? fmt::format("there are {}", fmt::join(known, ", "))
                                                  : fmt::format("did you mean '{}'?", near)));
    }
  }

  std::string scalar(const toml::node& node, std::string_view key) const {
    if (const auto* v = node.as_boolean()) return v->get() ? "true" : "false";
    if (const auto* v = node.as_integer()) return std::to_string(v->get());
    if (const auto* v = node.as_floating_point()) return fmt::format("{}", v->get());
    if (const auto* v = node.as_string()) return v->get();
    fail(node.source(), fmt::format("{} is no single value; wanted text, a number or true or false", key));
  }

  std::string text(const toml::table& table, std::string_view key, const std::string& otherwise) const {
    const toml::node* node = table.get(key);
    if (node == nullptr) return otherwise;
    if (!node->is_string()) fail(node->source(), fmt::format("{} is no text; write it in quotes", key));
    return node->as_string()->get();
  }

  std::vector<std::string> list(const toml::table& table, std::string_view key) const {
    const toml::node* node = table.get(key);
    if (node == nullptr) return {};
    const toml::array* array = node->as_array();
    if (array == nullptr) fail(node->source(), fmt::format("{} is no list; write [a, b, ...]", key));
    std::vector<std::string> values;
    for (const toml::node& element : *array) values.push_back(scalar(element, key));
    return values;
  }

  std::vector<uint64_t> seeds(const toml::table& table, std::string_view key) const {
    std::vector<uint64_t> out;
    for (const std::string& value : list(table, key)) {
      const bool digits =
          !value.empty() && value.size() < 19 && value.find_first_not_of("0123456789") == std::string::npos;
      if (!digits) fail(table.get(key)->source(), fmt::format("{} holds '{}'; wanted whole numbers", key, value));
      out.push_back(std::stoull(value));
    }
    if (std::set(out.begin(), out.end()).size() != out.size())
      fail(table.get(key)->source(), fmt::format("{} holds a seed twice", key));
    return out;
  }

  const toml::table* table(const toml::table& parent, std::string_view key) const {
    const toml::node* node = parent.get(key);
    if (node == nullptr) return nullptr;
    if (!node->is_table()) fail(node->source(), fmt::format("{} is no table; write [{}] and its keys below", key, key));
    return node->as_table();
  }

  // Option = value lines, without the keys that are not options.
  Settings settings(const toml::table& table, const std::set<std::string>& without = {}) const {
    Settings out;
    for (const auto& [key, node] : table) {
      const std::string option(key.str());
      if (without.contains(option)) continue;
      refuse_ours(option, key.source());
      out.emplace_back(option, scalar(node, option));
    }
    return out;
  }

  std::vector<GridAxis> axes(const toml::table* table) const {
    std::vector<GridAxis> out;
    if (table == nullptr) return out;
    for (const auto& [key, node] : *table) {
      const std::string option(key.str());
      refuse_ours(option, key.source());
      GridAxis axis{option, list(*table, option)};
      if (axis.values.empty())
        fail(node.source(), fmt::format("the grid is empty: {} has no values; give at least one", option));
      if (std::set(axis.values.begin(), axis.values.end()).size() != axis.values.size()) {
        fail(node.source(), fmt::format("{} holds a value twice; leave one out", option));
      }
      out.push_back(std::move(axis));
    }
    return out;
  }

 private:
  // What the protocol sets for each run.
  void refuse_ours(const std::string& option, const toml::source_region& at) const {
    static const std::set<std::string> names = {"seed", "output", "data", "init", "loader_threads"};
    if (names.contains(option)) {
      fail(at, fmt::format("{} is set for each run by the protocol; leave it out{}", option,
                           option == "seed" ? " and list seeds = [...] at the top" : ""));
    }
  }

  std::string path_;
};

ExperimentMethod read_method(const Reader& r, const toml::table& table, const std::vector<GridAxis>& common_tune) {
  ExperimentMethod m;
  m.name = r.text(table, "name", "");
  if (m.name.empty()) r.fail(table.source(), "a method has no name; give name = \"...\"");
  if (table.get("optimizer") == nullptr)
    r.fail(table.source(), fmt::format("method '{}' has no optimizer; give optimizer = \"...\"", m.name));
  m.settings = r.settings(table, {"name", "grid", "tune", "paper"});
  m.grid = r.axes(r.table(table, "grid"));
  const toml::table* own_tune = r.table(table, "tune");
  m.tune = own_tune == nullptr ? common_tune : r.axes(own_tune);
  if (const toml::node* paper = table.get("paper")) {
    const auto value = paper->value<double>();
    if (!value || !(*value > 0 && *value < 100))
      r.fail(paper->source(), "paper is the published test accuracy in percent, between 0 and 100");
    m.paper = *value;
  }
  return m;
}

// An option that is fixed in one place and varied in another would make the file say two things.
void refuse_double(const Reader& r, const Experiment& e, const ExperimentMethod& m) {
  std::set<std::string> varied;
  for (const auto* axes : {&e.grid, &m.grid, &m.tune})
    for (const GridAxis& axis : *axes)
      if (!varied.insert(axis.option).second)
        r.fail(fmt::format("method '{}' varies {} twice; keep one", m.name, axis.option));
  for (const auto& [option, value] : m.settings) {
    if (varied.contains(option))
      r.fail(fmt::format("method '{}' sets {} and varies it; keep one of the two", m.name, option));
  }
}

void check_protocol(const Reader& r, const Experiment& e) {
  if (e.methods.empty()) r.fail("the grid is empty: there is no [[method]]; give at least one");
  std::set<std::string> names;
  for (const ExperimentMethod& m : e.methods) {
    if (!names.insert(m.name).second) r.fail(fmt::format("two methods are named '{}'; give each its own name", m.name));
    refuse_double(r, e, m);
  }
  if (!names.contains(e.baseline))
    r.fail(fmt::format("baseline is '{}', which no method is named; there are {}", e.baseline, fmt::join(names, ", ")));
  if (e.seeds.empty()) r.fail("there are no seeds; give seeds = [1, 2, 3] for the reported runs");
  const size_t trials = combinations(e.methods.front().tune).size();
  for (const ExperimentMethod& m : e.methods) {
    const size_t own = combinations(m.tune).size();
    if (own != trials) {
      r.fail(fmt::format(
          "method '{}' has {} tuning trials and '{}' has {}; the comparison is fair only with the same number for each",
          m.name, own, e.methods.front().name, trials));
    }
  }
  if (trials > 1 && e.tuning_seeds.empty())
    r.fail("rates are tuned and there are no tuning seeds; give tuning_seeds = [101]");
  for (const uint64_t seed : e.tuning_seeds) {
    if (std::find(e.seeds.begin(), e.seeds.end(), seed) != e.seeds.end()) {
      r.fail(fmt::format("seed {} tunes and reports; the two lists must have none in common", seed));
    }
  }
}

}  // namespace

std::string settings_text(const Settings& settings) {
  std::vector<std::string> parts;
  for (const auto& [option, value] : settings) parts.push_back(option + " " + value);
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::vector<Settings> combinations(const std::vector<GridAxis>& axes) {
  std::vector<Settings> all(1);
  for (const GridAxis& axis : axes) {
    std::vector<Settings> longer;
    for (const Settings& head : all) {
      for (const std::string& value : axis.values) {
        longer.push_back(head);
        longer.back().emplace_back(axis.option, value);
      }
    }
    all = std::move(longer);
  }
  return all;
}

Experiment read_experiment(const std::string& path) { return parse_experiment(read_text_file(path), path); }

Experiment parse_experiment(const std::string& text, const std::string& path) {
  const Reader r(path);
  require_toml_limits(text, path);
  toml::table file;
  try {
    file = toml::parse(text, path);
  } catch (const toml::parse_error& e) {
    r.fail(e.source(), std::string(e.description()));
  }
  r.only(file, {"title", "baseline", "seeds", "tuning_seeds", "train", "grid", "tune", "method", "paper"});
  Experiment e;
  e.name = std::filesystem::path(path).stem().string();
  e.title = r.text(file, "title", e.name);
  e.text = text;
  e.seeds = r.seeds(file, "seeds");
  e.tuning_seeds = r.seeds(file, "tuning_seeds");
  if (const toml::table* train = r.table(file, "train")) e.train = r.settings(*train);
  e.grid = r.axes(r.table(file, "grid"));
  const std::vector<GridAxis> tune = r.axes(r.table(file, "tune"));
  if (const toml::node* methods = file.get("method")) {
    if (!methods->is_array_of_tables()) r.fail(methods->source(), "method is no list of tables; write [[method]]");
    for (const toml::node& m : *methods->as_array()) e.methods.push_back(read_method(r, *m.as_table(), tune));
  }
  e.baseline = r.text(file, "baseline", e.methods.empty() ? "" : e.methods.front().name);
  if (const toml::table* paper = r.table(file, "paper")) {
    r.only(*paper, {"source", "differences"});
    e.paper_source = r.text(*paper, "source", "");
    e.paper_differences = r.list(*paper, "differences");
  }
  check_protocol(r, e);
  return e;
}

}  // namespace signstep
