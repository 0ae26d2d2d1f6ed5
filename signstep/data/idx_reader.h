// SPDX-License-Identifier: Apache-2.0
// Data sets in IDX files (idx.h): grey images of rank 3 and their labels of rank 1, raw or gzip.
#pragma once

#include "signstep/data/dataset_spec.h"

namespace signstep {

// Images of the record's height and width, any number of them.
extern const DatasetReader kIdxReader;

}  // namespace signstep
