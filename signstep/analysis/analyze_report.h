// SPDX-License-Identifier: Apache-2.0
// An analysis as JSON, as charts and as lines of text.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "signstep/analysis/analyze.h"
#include "signstep/report/figures.h"

namespace signstep {

nlohmann::ordered_json to_json(const BatchAnalysis& analysis);

// Histogram of S, failure rate against the bound; by tensor weight and share of high S, shape of the noise, density;
// what dither would do; for several batch sizes the stationarity over them.
std::vector<NamedChart> analyze_charts(const std::vector<BatchAnalysis>& analyses);

// Tensors summed up by block: "layer1.0.conv1.weight" is of "layer1.0", "conv1.weight" of "conv1". In order of
// appearance.
struct BlockAnalysis {
  std::string name;
  SnrProfile profile;
  ShapeCounts shapes;
};
std::vector<BlockAnalysis> by_block(const BatchAnalysis& analysis);

// What the numbers say about dither, in a sentence or two.
std::string dither_advice(const BatchAnalysis& analysis);

}  // namespace signstep
