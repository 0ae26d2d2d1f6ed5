// SPDX-License-Identifier: Apache-2.0
// The table of data sets. Everywhere else a set is its name.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "signstep/data/dataset_spec.h"

namespace signstep {

const std::vector<DatasetSpec>& datasets();
const DatasetSpec& find_dataset(std::string_view name);  // throws OptionError, naming the nearest known one

std::vector<std::string> dataset_names();
std::vector<std::string> label_names();  // of every set, each once: "fine", "coarse"

// The index in spec.labels of the kind with that name. Throws OptionError, naming the sets that have it.
size_t label_kind(const DatasetSpec& spec, const std::string& name);

}  // namespace signstep
