// SPDX-License-Identifier: Apache-2.0
// The binary version of CIFAR-10 and CIFAR-100: records of one label byte for each kind of labels and then the pixel
// bytes, plane by plane: 3 x 32 x 32.
// Source: Krizhevsky 2009, "Learning multiple layers of features from tiny images", and the data set's page.
#pragma once

#include "signstep/data/dataset_spec.h"

namespace signstep {

// A file holds any whole number of records above 0; every label byte is checked against its kind's classes.
extern const DatasetReader kCifarReader;

}  // namespace signstep
