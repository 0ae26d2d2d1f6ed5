// SPDX-License-Identifier: Apache-2.0
// A group's curve as a series of a chart, alike in all of them: its name, colour and dashes.
#pragma once

#include "signstep/report/plots.h"
#include "signstep/report/run_group.h"

namespace signstep {

// place: of the group among those drawn, which gives its colour. x is divided by x_unit.
Series series_of(const RunGroup& group, GroupCurve curve, size_t place, double x_unit = 1);

// Whether there is a value to draw; positive: one that a logarithmic axis can show.
bool has_values(const GroupCurve& curve, bool positive = false);

}  // namespace signstep
