// SPDX-License-Identifier: Apache-2.0
// An analysis as tables and sentences, for the terminal and the page.
#pragma once

#include <string>
#include <vector>

#include "signstep/analysis/analyze.h"
#include "signstep/base/text_table.h"

namespace signstep {

TextTable block_table(const BatchAnalysis& analysis);    // signal and shape by block, the network last
TextTable failure_table(const BatchAnalysis& analysis);  // how often signs fail by S, against the bound
TextTable dither_table(const BatchAnalysis& analysis);   // first-order descent by level of relative dither

// What was measured and how: draws, loss, reference.
std::string measured_text(const BatchAnalysis& analysis);
// How often the shape tests reject noise of known shape with as many draws.
std::string power_text(const BatchAnalysis& analysis);
std::string stationarity_text(const BatchAnalysis& analysis);

// Whether the small-batch picture fits: signs fail less often than the bound says, as far as that can be judged.
std::string picture_verdict(const BatchAnalysis& analysis);
// What the theorem needs: the descent along the signs beside the promised one. "" without an independent reference.
std::string descent_verdict(const BatchAnalysis& analysis);
// For an optimizer that takes the sign of an average (dither_law.h, average_noise): what the figures are to it. ""
// for 1.
std::string average_text(const BatchAnalysis& analysis, double average_noise);

}  // namespace signstep
