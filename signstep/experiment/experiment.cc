// SPDX-License-Identifier: Apache-2.0
#include "signstep/experiment/experiment.h"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <set>

#include "signstep/base/error.h"
#include "signstep/base/option.h"
#include "signstep/experiment/experiment_reader.h"
#include "signstep/experiment/tuning_search.h"
#include "signstep/io/atomic_file.h"
#include "signstep/io/label.h"
#include "signstep/io/toml_limits.h"

namespace signstep {
namespace {

// Beyond this a file is a mistake, and its plan would fill the memory.
constexpr size_t kMostRuns = 10000;

ExperimentMethod read_method(const ExperimentReader& r, const toml::table& table,
                             const std::vector<GridAxis>& common_tune) {
  ExperimentMethod m;
  m.name = r.text(table, "name", "", kNameLength);
  if (m.name.empty()) r.fail(table.source(), "a method has no name; give name = \"...\"");
  if (table.get("optimizer") == nullptr) {
    std::vector<std::string> keys;
    for (const auto& [key, node] : table) keys.emplace_back(key.str());
    const std::string near = nearest_name("optimizer", keys);
    r.fail(near.empty() ? table.source() : table.get(near)->source(),
           fmt::format("method '{}' has no optimizer; {}", m.name,
                       near.empty() ? "give optimizer = \"...\""
                                    : fmt::format("did you mean 'optimizer' where it says '{}'?", near)));
  }
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

TuningSearch read_search(const ExperimentReader& r, const toml::table& file) {
  const std::string name = r.text(file, "tuning_search", "grid", kNameLength);
  if (name != "grid" && name != "coordinate")
    r.fail(file.get("tuning_search")->source(), fmt::format("tuning_search is '{}'; wanted grid or coordinate", name));
  return name == "grid" ? TuningSearch::kGrid : TuningSearch::kCoordinate;
}

// An option that is fixed in one place and varied in another would make the file say two things.
void refuse_double(const ExperimentReader& r, const Experiment& e, const ExperimentMethod& m) {
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

// What auto stands for has no place among numbers: whether it is one of them twice, or the list's end, would not be
// seen.
void refuse_auto_in_lists(const ExperimentReader& r, const ExperimentMethod& m) {
  for (const GridAxis& axis : m.tune)
    if (axis.values.size() > 1 && std::find(axis.values.begin(), axis.values.end(), "auto") != axis.values.end())
      r.fail(fmt::format("method '{}' tunes {} over a list with auto in it; write the number", m.name, axis.option));
}

// Reported runs train on all images, and every row's rates are chosen by the same ones.
void refuse_own_validation(const ExperimentReader& r, const Experiment& e, const ExperimentMethod& m) {
  bool own = std::any_of(m.settings.begin(), m.settings.end(), [](const auto& s) { return s.first == "validation"; });
  for (const auto* axes : {&e.grid, &m.grid, &m.tune})
    own = own || std::any_of(axes->begin(), axes->end(), [](const GridAxis& a) { return a.option == "validation"; });
  if (own)
    r.fail(fmt::format("method '{}' sets or varies validation, which only tuning has a use for; name it in [train]",
                       m.name));
}

// Counts the runs without making one.
void check_size(const ExperimentReader& r, const Experiment& e) {
  const auto times = [](size_t a, size_t b) { return std::min(kMostRuns + 1, a) * std::min(kMostRuns + 1, b); };
  size_t runs = 0;
  for (const ExperimentMethod& m : e.methods) {
    const size_t own = count_combinations(m.grid), rows = times(count_combinations(e.grid), own);
    const size_t trials = count_combinations(m.tune);
    const size_t tuning = trials < 2 ? 0 : times(trials, std::max<size_t>(1, e.tuning_seeds.size()));
    runs += std::min(kMostRuns + 1, times(e.tune_once ? own : rows, tuning) + times(rows, e.seeds.size()));
  }
  if (runs > kMostRuns) {
    r.fail(fmt::format("the lists ask for more than {} runs; shorten some, or make two experiments of it", kMostRuns));
  }
}

void check_protocol(const ExperimentReader& r, const Experiment& e) {
  if (e.methods.empty()) r.fail("the grid is empty: there is no [[method]]; give at least one");
  std::set<std::string> names;
  for (const ExperimentMethod& m : e.methods) {
    if (!names.insert(m.name).second) r.fail(fmt::format("two methods are named '{}'; give each its own name", m.name));
    refuse_double(r, e, m);
    refuse_auto_in_lists(r, m);
    refuse_own_validation(r, e, m);
  }
  if (!names.contains(e.baseline))
    r.fail(fmt::format("baseline is '{}', which no method is named; there are {}", e.baseline, fmt::join(names, ", ")));
  check_size(r, e);
  if (e.seeds.empty()) r.fail("there are no seeds; give seeds = [1, 2, 3] for the reported runs");
  const size_t trials = count_trials(e.methods.front().tune, e.tuning_search);
  for (const ExperimentMethod& m : e.methods) {
    const size_t own = count_trials(m.tune, e.tuning_search);
    if (own != trials) {
      r.fail(fmt::format(
          "method '{}' has {} tuning trials and '{}' has {}; the comparison is fair only with the same number for each",
          m.name, own, e.methods.front().name, trials));
    }
  }
  if (e.tune_once && e.grid.empty()) r.fail("tune_once is for experiments with a [grid]; leave it out");
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

size_t count_combinations(const std::vector<GridAxis>& axes) {
  size_t count = 1;
  for (const GridAxis& axis : axes)
    count = axis.values.size() > SIZE_MAX / count ? SIZE_MAX : count * axis.values.size();
  return count;
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
  const ExperimentReader r(path);
  require_toml_limits(text, path);
  toml::table file;
  try {
    file = toml::parse(text, path);
  } catch (const toml::parse_error& e) {
    r.fail(e.source(), std::string(e.description()));
  }
  r.only(file, {"title", "baseline", "seeds", "tuning_seeds", "tuning_search", "tune_once", "train", "grid", "tune",
                "method", "paper"});
  Experiment e;
  e.name = std::filesystem::path(path).stem().string();
  require_label(e.name, fmt::format("the name of the file {}", printable(path)), kNameLength);
  e.title = r.text(file, "title", e.name, kTitleLength);
  e.text = text;
  e.seeds = r.seeds(file, "seeds");
  e.tuning_seeds = r.seeds(file, "tuning_seeds");
  e.tuning_search = read_search(r, file);
  e.tune_once = r.flag(file, "tune_once");
  if (const toml::table* train = r.table(file, "train")) e.train = r.settings(*train);
  e.grid = r.axes(r.table(file, "grid"));
  const std::vector<GridAxis> tune = r.axes(r.table(file, "tune"));
  if (const toml::node* methods = file.get("method")) {
    if (!methods->is_array_of_tables()) r.fail(methods->source(), "method is no list of tables; write [[method]]");
    for (const toml::node& m : *methods->as_array()) e.methods.push_back(read_method(r, *m.as_table(), tune));
  }
  e.baseline = r.text(file, "baseline", e.methods.empty() ? "" : e.methods.front().name, kNameLength);
  if (const toml::table* paper = r.table(file, "paper")) {
    r.only(*paper, {"source", "differences"});
    e.paper_source = r.text(*paper, "source", "", kNoteLength);
    e.paper_differences = r.list(*paper, "differences");
  }
  check_protocol(r, e);
  return e;
}

}  // namespace signstep
