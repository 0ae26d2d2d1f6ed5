// SPDX-License-Identifier: Apache-2.0
#include "signstep/experiment/experiment_plan.h"

#include <algorithm>
#include <cctype>
#include <set>

#include "signstep/base/error.h"

namespace signstep {
namespace {

// A folder's name: letters, digits and a few signs stay.
std::string slug(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (std::isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '=' || c == '+' || c == '-' || c == ',') {
      out += c;
    } else if (out.empty() || out.back() != '_') {
      out += '_';
    }
  }
  return out;
}

std::string trial_folder(const Settings& trial) {
  if (trial.empty()) return "default";
  std::vector<std::string> parts;
  for (const auto& [option, value] : trial) parts.push_back(option + "=" + value);
  return slug(fmt::format("{}", fmt::join(parts, ",")));
}

// Leaves room for what a file system or a tool may add.
constexpr size_t kLongestFolder = 200;

void require_folder_name(const Experiment& e, const PlannedRow& row) {
  const std::string name = slug(row.name);
  if (name == "." || name == "..") {
    throw OptionError(fmt::format("{}: '{}' cannot name a folder; give the method another name", e.name, row.name));
  }
  size_t longest = name.size();
  for (const Settings& trial : row.trials) longest = std::max(longest, trial_folder(trial).size());
  if (longest > kLongestFolder) {
    throw OptionError(
        fmt::format("{}: {} would need a folder name of {} characters; wanted at most {}: shorten the "
                    "method's name, or vary fewer options",
                    e.name, row.name, longest, kLongestFolder));
  }
}

void append(Settings& settings, const Settings& more) { settings.insert(settings.end(), more.begin(), more.end()); }

TrainOptions options_of(const Settings& settings, const std::string& name) {
  TrainOptions options;
  OptionList list = option_list(options);
  try {
    for (const auto& [option, value] : settings) list.set(option, value);
    return resolved(options);
  } catch (const OptionError& e) {
    throw OptionError(fmt::format("{}: {}", name, e.what()));
  }
}

std::vector<PlannedRow> make_rows(const Experiment& e) {
  std::vector<PlannedRow> rows;
  std::set<std::string> folders;
  for (const Settings& common : combinations(e.grid)) {
    for (size_t m = 0; m < e.methods.size(); ++m) {
      const ExperimentMethod& method = e.methods[m];
      for (const Settings& own : combinations(method.grid)) {
        PlannedRow row{
            .method = m, .name = method.name, .common = common, .settings = {}, .trials = combinations(method.tune)};
        if (!own.empty()) row.name += ", " + settings_text(own);
        if (!common.empty()) row.name += ", " + settings_text(common);
        // One thread a run unless the file says otherwise: then --jobs changes nothing but speed.
        row.settings.emplace_back("threads", "1");
        for (const Settings* part : {&e.train, &common, &method.settings, &own}) append(row.settings, *part);
        require_folder_name(e, row);
        if (!folders.insert(slug(row.name)).second) {
          throw OptionError(
              fmt::format("{}: two rows would be written to the folder {}; name the methods further apart", e.name,
                          slug(row.name)));
        }
        rows.push_back(std::move(row));
      }
    }
  }
  return rows;
}

}  // namespace

std::string ExperimentPlan::place(size_t row, size_t trial) const {
  return slug(rows[row].name) + "/" + trial_folder(rows[row].trials[trial]);
}

PlannedRun ExperimentPlan::run(size_t r, size_t trial, uint64_t seed, bool for_tuning) const {
  const PlannedRow& row = rows[r];
  const Settings& chosen = row.trials[trial];
  PlannedRun out{.row = r,
                 .trial = trial,
                 .seed = seed,
                 .tuning = for_tuning,
                 .folder = {},
                 .name = {},
                 .settings = row.settings,
                 .options = {}};
  append(out.settings, chosen);
  out.settings.emplace_back("seed", std::to_string(seed));
  // Who chooses never sees the test images, and what is chosen trains on the validation images too.
  if (for_tuning)
    out.settings.emplace_back("test_when", "never");
  else
    out.settings.emplace_back("validation", "0");
  out.name = fmt::format("{}{}{}, seed {}", row.name, chosen.empty() ? "" : ", ", settings_text(chosen), seed);
  out.folder = fmt::format("{}/{}/{}/seed-{}", output, for_tuning ? "tuning" : "reported", place(r, trial), seed);
  out.options = options_of(out.settings, out.name);
  if (for_tuning && out.options.validation == 0) {
    throw OptionError(
        fmt::format("{}: validation is 0 and rates are tuned on the validation images; leave it out", row.name));
  }
  return out;
}

std::vector<PlannedRun> ExperimentPlan::reported(size_t row, size_t trial) const {
  std::vector<PlannedRun> runs;
  for (const uint64_t seed : experiment.seeds) runs.push_back(run(row, trial, seed, false));
  return runs;
}

size_t ExperimentPlan::tuning_runs() const {
  if (!tunes()) return 0;
  size_t tuned = 0;
  for (size_t r = 0; r < rows.size(); ++r) tuned += tuned_by(r) == r;
  return tuned * trials_needed() * experiment.tuning_seeds.size();
}

size_t ExperimentPlan::tuned_by(size_t row) const {
  return experiment.tune_once ? row % (rows.size() / count_combinations(experiment.grid)) : row;
}

size_t ExperimentPlan::baseline_of(size_t row) const {
  for (size_t r = 0; r < rows.size(); ++r) {
    const ExperimentMethod& method = experiment.methods[rows[r].method];
    if (method.name == experiment.baseline && method.grid.empty() && rows[r].common == rows[row].common) return r;
  }
  return rows.size();
}

std::vector<PlannedRun> ExperimentPlan::all_runs() const {
  std::vector<PlannedRun> runs = tuning;
  for (size_t r = 0; r < rows.size(); ++r)
    for (PlannedRun& run : reported(r, 0)) runs.push_back(std::move(run));
  return runs;
}

ExperimentPlan make_plan(const Experiment& experiment, const std::string& output) {
  ExperimentPlan plan{.experiment = experiment, .output = output, .rows = make_rows(experiment), .tuning = {}};
  for (size_t r = 0; r < plan.rows.size(); ++r) {
    const size_t trials = plan.rows[r].trials.size();
    for (size_t t = 0; t < trials; ++t) {
      plan.run(r, t, experiment.seeds.front(), false);  // refuses bad values before anything is run
      if (trials < 2 || plan.tuned_by(r) != r) continue;
      for (const uint64_t seed : experiment.tuning_seeds) plan.tuning.push_back(plan.run(r, t, seed, true));
    }
  }
  return plan;
}

}  // namespace signstep
