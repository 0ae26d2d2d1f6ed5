// SPDX-License-Identifier: Apache-2.0
// A comparison as a table for people: on the terminal and in the report.
#pragma once

#include <string>
#include <vector>

#include "signstep/base/text_table.h"
#include "signstep/experiment/comparison.h"
#include "signstep/report/html.h"
#include "signstep/report/run_group.h"

namespace signstep {

// The table's columns and cells as people read them; columns that nobody fills are left out.
TextTable comparison_table(const Comparison& comparison);

// What stands under the table: the protocol, flags, the paper's differences, machine and data. A sentence each.
std::vector<std::string> comparison_notes(const Comparison& comparison);

std::string terminal_text(const Comparison& comparison);

// The tuning trials of every row, for the report.
HtmlTable trials_table(const Comparison& comparison);
// Reported runs that have a finished epoch, one group a row.
std::vector<RunGroup> report_groups(const Comparison& comparison);

}  // namespace signstep
