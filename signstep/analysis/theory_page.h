// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "signstep/analysis/theory_rates.h"
#include "signstep/report/page.h"

namespace signstep {

Page theory_page(const std::vector<RateCurve>& rates, const std::vector<ValleyCurve>& valley,
                 const TheoryOptions& options);

}  // namespace signstep
