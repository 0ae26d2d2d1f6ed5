// SPDX-License-Identifier: Apache-2.0
// What an experiment file asks for (docs/experiments.md has the format): methods, grids, seeds, the paper's numbers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace signstep {

// Options of `signstep train` with their values as text, in the order they apply.
using Settings = std::vector<std::pair<std::string, std::string>>;

// "learning_rate 0.1, l2_penalty 0.0005"; "" for none.
std::string settings_text(const Settings& settings);

// Several values of one option.
struct GridAxis {
  std::string option;
  std::vector<std::string> values;  // at least one, none twice
};

// How many combinations there are; the largest size_t where it does not hold them.
size_t count_combinations(const std::vector<GridAxis>& axes);
// Every combination, the last axis fastest; one empty combination for no axes.
std::vector<Settings> combinations(const std::vector<GridAxis>& axes);

// How trials are taken from the lists of tuned options (tuning_search.h).
enum class TuningSearch { kGrid, kCoordinate };

struct ExperimentMethod {
  std::string name;
  Settings settings;
  std::vector<GridAxis> grid;   // a row of the table for each point
  std::vector<GridAxis> tune;   // trials from which the validation split chooses
  std::optional<double> paper;  // percent, the paper's test accuracy
};

struct Experiment {
  std::string name;  // the file's name without .toml
  std::string title;
  std::string text;                       // the file itself
  Settings train;                         // of every run
  std::vector<GridAxis> grid;             // each method at each point
  std::vector<ExperimentMethod> methods;  // at least one
  std::string baseline;                   // the method that the others are compared with; the first unless stated
  std::vector<uint64_t> seeds;            // of the reported runs
  TuningSearch tuning_search = TuningSearch::kGrid;
  bool tune_once = false;              // at the first point of the grid; the choice serves every point
  std::vector<uint64_t> tuning_seeds;  // disjoint from seeds; empty only where nothing is tuned
  std::string paper_source;
  std::vector<std::string> paper_differences;  // what is known to differ from the paper's runs
};

// Throws OptionError with file, line and column for what is not TOML, an unknown key or option, a missing or an empty
// part, names that cannot be shown, an option that is both fixed and varied, more than 10,000 runs, methods with
// unequal numbers of trials, seeds that tune and report. Values themselves are checked by make_plan. EnvironmentError
// when the file cannot be read.
Experiment read_experiment(const std::string& path);
Experiment parse_experiment(const std::string& text, const std::string& path);

}  // namespace signstep
