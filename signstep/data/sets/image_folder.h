// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "signstep/data/image_folder.h"

namespace signstep {

// Normalised by the figures that are usual for photographs (torchvision's, of ImageNet), so that a network needs no
// figures of its own set to be used elsewhere.
inline DatasetSpec image_folder() {
  return {.name = "folder",
          .channels = 3,
          .height = 0,
          .width = 0,
          .labels = {{"fine", 0}},
          .train_images = 0,
          .test_images = 0,
          .normalization = {{.485f, .456f, .406f}, {.229f, .224f, .225f}},
          .files = {},
          .folders = {},
          .advice = "give --data FOLDER with train/CLASS/*.png and test/CLASS/*.png (or .jpg), a folder for each class",
          .reader = nullptr,
          .folder_reader = &kImageFolderReader};
}

}  // namespace signstep
