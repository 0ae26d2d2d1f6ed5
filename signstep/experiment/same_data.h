// SPDX-License-Identifier: Apache-2.0
// Whether the runs of an experiment saw the same images.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "signstep/experiment/experiment_plan.h"

namespace signstep {

// Which images a run asks for: data set and labels.
std::string data_set_of(const PlannedRun& run);

// Whether runs saw the same images: one checksum for each data set.
class SameData {
 public:
  // who: "the run FOLDER", "the data set in FOLDER". Throws DataError that names both when another checksum was seen
  // before. An empty checksum is not known and says nothing.
  void saw(const std::string& data_set, const std::string& checksum, const std::string& who);

 private:
  std::map<std::string, std::pair<std::string, std::string>> first_;  // by data set: checksum, who
};

}  // namespace signstep
