// SPDX-License-Identifier: Apache-2.0
// Which trials the tuning of a row needs, and which of them it chooses.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "signstep/experiment/experiment.h"

namespace signstep {

// How many trials a row needs: every combination, or of a coordinate search each value of each option once, the start
// that all of them share counted once.
size_t count_trials(const std::vector<GridAxis>& axes, TuningSearch search);

struct SearchState {
  std::vector<size_t> asked;     // trials, as combinations() numbers them, in the order in which they are asked for
  std::optional<size_t> chosen;  // none before the last of them is known
};

// Mean validation accuracy of a trial; none while a run of it is missing or has no accuracy.
using TrialScore = std::function<std::optional<double>(size_t trial)>;

// kGrid asks for every combination and takes the best. kCoordinate starts from the first value of every option and goes
// through the options, the learning rate first and the others as they come: all values of one, the others held, then
// on from the best. It asks for the next option's trials once those before are known, and needs 1 + sum (n - 1) of
// them, never looking back: where options depend on each other it can miss the best combination. Of equal ones the
// first in the list.
SearchState search_trials(const std::vector<GridAxis>& axes, TuningSearch search, const TrialScore& score);

}  // namespace signstep
