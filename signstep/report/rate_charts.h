// SPDX-License-Identifier: Apache-2.0
// The charts of what a run steps by: learning rate, dither, and the switch's estimate of SGD's rate.
#pragma once

#include <vector>

#include "signstep/report/figures.h"
#include "signstep/report/run_group.h"

namespace signstep {

// Appends learning-rate, dither, gamma and lambda; those without data have no points.
void add_rate_charts(const std::vector<RunGroup>& groups, std::vector<NamedChart>& charts);

}  // namespace signstep
