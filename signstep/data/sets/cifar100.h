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
          .files = {{"train.bin", "e207cd2e05b73b1393c74c7f5e7bea451d63e08e", true},
                    {"test.bin", "8fb6623e830365ff53cf14adec797474f5478006", false}},
          .folders = {"cifar-100-binary", "cifar100"},
          .advice =
              "unpack cifar-100-binary.tar.gz, the official binary version, and give its folder "
              "cifar-100-binary or the one above as --data",
          .reader = &kCifarReader,
          .checksum = sha1_hex};
}

}  // namespace signstep
