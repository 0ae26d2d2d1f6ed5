// SPDX-License-Identifier: Apache-2.0
#include "signstep/experiment/own_part.h"

namespace signstep {

std::vector<PlannedRun> OwnPart::tuning(size_t row, const std::vector<size_t>& trials, size_t from) const {
  const std::vector<uint64_t>& seeds = plan_.experiment.tuning_seeds;
  std::vector<PlannedRun> runs;
  for (size_t t = from; t < trials.size(); ++t)
    for (size_t s = 0; s < seeds.size(); ++s)
      if (has((row * plan_.trials_needed() + t) * seeds.size() + s))
        runs.push_back(plan_.run(row, trials[t], seeds[s], true));
  return runs;
}

std::vector<PlannedRun> OwnPart::any_tuning(size_t row) const {
  const bool tunes = plan_.tunes() && plan_.tuned_by(row) == row;
  return tuning(row, std::vector<size_t>(tunes ? plan_.trials_needed() : 0, 0), 0);
}

std::vector<PlannedRun> OwnPart::reported(size_t row, size_t trial) const {
  std::vector<PlannedRun> runs = plan_.reported(row, trial);
  const size_t first = row * runs.size();
  size_t i = 0;
  std::erase_if(runs, [&](const PlannedRun&) { return !has(first + i++); });
  return runs;
}

}  // namespace signstep
