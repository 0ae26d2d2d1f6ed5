// SPDX-License-Identifier: Apache-2.0
// The numbers of a run as plain tables, for formats that know no nesting. Columns are the keys of metrics.jsonl, so a
// figure that is added there is exported too.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "signstep/runs/epoch_record.h"

namespace signstep {

inline constexpr const char* kRunTables[] = {"epoch", "curve", "probe", "events"};

struct RunTable {
  std::string name;                                       // one of these
  std::vector<std::string> columns;                       // "epoch" and "step" first
  std::vector<std::vector<nlohmann::ordered_json>> rows;  // a cell for each column: number, text, or null
};

// A row an epoch, a row a point of the curve, a row a pair of gradients, a row an event, in this order. Tables without
// rows are left out; the first never is.
std::vector<RunTable> run_tables(const std::vector<EpochRecord>& epochs);

}  // namespace signstep
