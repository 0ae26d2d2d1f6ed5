// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "signstep/data/cifar.h"

namespace signstep {

inline DatasetSpec cifar10() {
  return {.name = "cifar10",
          .channels = 3,
          .height = 32,
          .width = 32,
          .labels = {{"fine",
                      10,
                      {"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"}}},
          .train_images = 50000,
          .test_images = 10000,
          .normalization = {{.4914f, .4822f, .4465f}, {.2470f, .2435f, .2616f}},
          .files = {{"data_batch_1.bin", "5dd7e06a14cb22eb9f671a540d1b7c25", true},
                    {"data_batch_2.bin", "5ea93a67294ea407fff1d09f752e9692", true},
                    {"data_batch_3.bin", "942cd6a4bcdd0dd3c604fbe906cb4421", true},
                    {"data_batch_4.bin", "ae636b3ba5c66a11e91e8cb52e771fcb", true},
                    {"data_batch_5.bin", "53f37980c15c3d472c316c40844f3f0d", true},
                    {"test_batch.bin", "803d5f7f4d78ea53de84dbe85f74fb6d", false}},
          .folders = {"cifar-10-batches-bin", "cifar10"},
          .advice =
              "unpack cifar-10-binary.tar.gz, the official binary version, and give its folder "
              "cifar-10-batches-bin or the one above as --data",
          .reader = &kCifarReader};
}

}  // namespace signstep
