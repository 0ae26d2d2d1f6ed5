// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "signstep/data/idx_reader.h"

namespace signstep {

inline DatasetSpec mnist() {
  return {.name = "mnist",
          .channels = 1,
          .height = 28,
          .width = 28,
          .labels = {{"fine", 10, {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}}},
          .train_images = 60000,
          .test_images = 10000,
          .normalization = {{.1307f}, {.3081f}},
          .files = {{"train-images-idx3-ubyte", "6bbc9ace898e44ae57da46a324031adb", true, Holds::kImages},
                    {"train-labels-idx1-ubyte", "a25bea736e30d166cdddb491f175f624", true, Holds::kLabels},
                    {"t10k-images-idx3-ubyte", "2646ac647ad5339dbf082846283269ea", false, Holds::kImages},
                    {"t10k-labels-idx1-ubyte", "27ae3e4e09519cfbb04c329615203637", false, Holds::kLabels}},
          .folders = {"mnist", "MNIST/raw"},
          .advice = "its four IDX files, packed or not, go into one folder for --data",
          .reader = &kIdxReader};
}

}  // namespace signstep
