// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "signstep/data/idx_reader.h"

namespace signstep {

inline DatasetSpec fashion_mnist() {
  return {.name = "fashion-mnist",
          .channels = 1,
          .height = 28,
          .width = 28,
          .labels = {{"fine",
                      10,
                      {"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag",
                       "Ankle boot"}}},
          .train_images = 60000,
          .test_images = 10000,
          .normalization = {{.2860f}, {.3530f}},
          .files = {{"train-images-idx3-ubyte", "f4a8712d7a061bf5bd6d2ca38dc4d50a", true, Holds::kImages},
                    {"train-labels-idx1-ubyte", "9018921c3c673c538a1fc5bad174d6f9", true, Holds::kLabels},
                    {"t10k-images-idx3-ubyte", "8181f5470baa50b63fa0f6fddb340f0a", false, Holds::kImages},
                    {"t10k-labels-idx1-ubyte", "15d484375f8d13e6eb1aabb0c3f46965", false, Holds::kLabels}},
          .folders = {"fashion-mnist", "FashionMNIST/raw"},
          .advice =
              "on Debian and Ubuntu: apt install dataset-fashion-mnist; elsewhere its four IDX files, packed or not, "
              "go into one folder for --data",
          .reader = &kIdxReader};
}

}  // namespace signstep
