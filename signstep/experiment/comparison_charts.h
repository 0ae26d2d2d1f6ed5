// SPDX-License-Identifier: Apache-2.0
// What a comparison looks like: every seed, the paired differences, and how sensitive each method is to its tuning.
#pragma once

#include <vector>

#include "signstep/experiment/comparison.h"
#include "signstep/report/figures.h"

namespace signstep {

// Test accuracy: a point for each seed, the mean and from three seeds on its 95 % interval (Student's t); differences
// to the baseline; and for each tuned option that takes numbers, validation accuracy over it, of the best trial at each
// value, with the chosen value and those at the end of their list marked. Charts without a point are left out.
std::vector<NamedChart> comparison_charts(const Comparison& comparison);

}  // namespace signstep
