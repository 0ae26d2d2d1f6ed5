// SPDX-License-Identifier: Apache-2.0
// The studies of theory_rates as JSON and as charts.
#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "signstep/analysis/theory_rates.h"
#include "signstep/report/figures.h"

namespace signstep {

nlohmann::ordered_json to_json(const std::vector<RateCurve>& rates, const std::vector<ValleyCurve>& valley,
                               TheoryOptions options);

// Gauss's bound; per problem the stationarity over K at batch size 1 in both forms and the ratio to the bound by batch
// size; the counterexample.
std::vector<NamedChart> theory_charts(const std::vector<RateCurve>& rates, const std::vector<ValleyCurve>& valley);

}  // namespace signstep
