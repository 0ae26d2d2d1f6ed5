// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "signstep/data/cifar.h"

namespace signstep {

inline DatasetSpec cifar100() {
  return {.name = "cifar100",
          .channels = 3,
          .height = 32,
          .width = 32,
          .labels = {{"coarse", 20}, {"fine", 100}},
          .train_images = 50000,
          .test_images = 10000,
          .normalization = {{.5071f, .4865f, .4409f}, {.2673f, .2564f, .2762f}},
          .files = {{"train.bin", "", true}, {"test.bin", "", false}},
          .folders = {"cifar-100-binary", "cifar100"},
          .advice =
              "unpack cifar-100-binary.tar.gz, the official binary version, and give its folder "
              "cifar-100-binary or the one above as --data",
          .reader = &kCifarReader};
}

}  // namespace signstep
