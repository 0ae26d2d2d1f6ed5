// SPDX-License-Identifier: Apache-2.0
// The charts of a report, from groups of runs.
#pragma once

#include <string>
#include <vector>

#include "signstep/report/figures.h"
#include "signstep/report/run_group.h"

namespace signstep {

// Training loss, test and validation accuracy by epoch, test accuracy by time, learning rate, and where runs have them
// dither level, gamma and Lambda with the switch marked, and the probes' sign agreement and noise scale. Charts without
// data are left out.
std::vector<NamedChart> run_charts(const std::vector<RunGroup>& groups);

// Every file stem that run_charts may use.
const std::vector<std::string>& chart_files();

// More curves than this cannot be told apart.
inline constexpr size_t kMostCurves = 10;
// The groups whose curves are drawn: all, or the kMostCurves with the highest test accuracy, in the given order.
std::vector<RunGroup> drawn_groups(const std::vector<RunGroup>& groups);

}  // namespace signstep
