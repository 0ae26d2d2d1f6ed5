// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "signstep/analysis/analyze.h"
#include "signstep/report/page.h"

namespace signstep {

// The page of an analysis. what: the checkpoint, network and data that were looked at, a paragraph each. average_noise:
// of the run's optimizer, as in average_text.
Page analyze_page(const std::vector<BatchAnalysis>& analyses, const std::vector<std::string>& what,
                  double average_noise);

}  // namespace signstep
