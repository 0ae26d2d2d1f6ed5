// SPDX-License-Identifier: Apache-2.0
// What a run is: its settings, the checksum of the weights that it started from among them, and its images. The record
// and every checkpoint hold it, so that nothing but the run itself is continued.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "signstep/optim/rules/rules.h"
#include "signstep/options/train_options.h"

namespace signstep {

struct RunIdentity {
  nlohmann::ordered_json options;              // resolved
  std::string data_sha256;                     // Dataset::checksum; "" in files of version 0.1
  const RuleTable* rules = &standard_rules();  // that the options' optimizer is one of
  std::vector<std::string> classes = {};       // what they are called, where only the images' folder says
  int64_t side = 0;                            // pixels, of the images, likewise
};

// Recorded options, with defaults for those that the recording version did not have. source is the file that they come
// from; rules must outlive the result. Throws CheckpointError for what this program does not know.
TrainOptions recorded_options(const nlohmann::json& options, const std::string& source,
                              const RuleTable& rules = standard_rules());

// Throws CheckpointError that names the first difference with both values; what a resumed run may change is passed
// over, and more epochs where can_be_longer. The rules are those of now. source: the file that recorded holds for.
void require_same_identity(const RunIdentity& recorded, const RunIdentity& now, const std::string& source);

}  // namespace signstep
