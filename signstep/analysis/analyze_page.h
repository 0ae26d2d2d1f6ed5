// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "signstep/analysis/analyze.h"
#include "signstep/report/page.h"

namespace signstep {

// The page of an analysis. what: the checkpoint, network and data that were looked at, a paragraph each.
Page analyze_page(const std::vector<BatchAnalysis>& analyses, const std::vector<std::string>& what);

}  // namespace signstep
