// SPDX-License-Identifier: Apache-2.0
// The studies of theory_rates as tables and sentences, for the terminal and the page.
#pragma once

#include <string>
#include <vector>

#include "signstep/analysis/theory_rates.h"
#include "signstep/base/text_table.h"

namespace signstep {

// Of the curves of one problem ("quadratic", "logistic"): ratio of measured to bound at the largest K, the worst,
// slopes.
TextTable rate_table(const std::vector<RateCurve>& rates, const std::string& problem);
// The problems in order of appearance.
std::vector<std::string> problems_of(const std::vector<RateCurve>& rates);
TextTable valley_table(const std::vector<ValleyCurve>& valley);

// Whether the bound holds wherever its assumptions do, and where it breaks that they do not.
std::string theory_verdict(const std::vector<RateCurve>& rates);

}  // namespace signstep
