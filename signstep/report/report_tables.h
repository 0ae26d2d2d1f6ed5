// SPDX-License-Identifier: Apache-2.0
// The tables of a report, from groups of runs.
#pragma once

#include <vector>

#include "signstep/report/html.h"
#include "signstep/report/run_group.h"

namespace signstep {

// Of the last epochs, a row for each group.
HtmlTable accuracy_table(const std::vector<RunGroup>& groups);
// Data and machine: a line for each distinct value over all runs.
HtmlTable facts_table(const std::vector<RunGroup>& groups);
// The options in which groups differ: a column for each group, or where they are many a row, because pages scroll down
// more easily than sideways.
HtmlTable differences_table(const std::vector<RunGroup>& groups);
HtmlTable common_table(const std::vector<RunGroup>& groups);
HtmlTable runs_table(const std::vector<RunGroup>& groups);
// When, why and at which rates runs went over to SGD, or did not; no rows where none was to.
HtmlTable switch_table(const std::vector<RunGroup>& groups);

}  // namespace signstep
