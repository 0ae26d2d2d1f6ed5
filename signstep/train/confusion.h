// SPDX-License-Identifier: Apache-2.0
// Which classes are taken for which.
#pragma once

#include <string>
#include <vector>

#include "signstep/train/evaluate.h"

namespace signstep {

struct Confusion {
  std::vector<std::vector<size_t>> counts;  // [label][predicted], images

  explicit Confusion(const Predictions& predictions);

  size_t images(size_t label) const;     // of that class
  size_t predicted(size_t label) const;  // taken for that class
  // Percent; NaN where there is none to judge.
  double recall(size_t label) const;     // of the class's images, how many are known: its accuracy
  double precision(size_t label) const;  // of the images taken for the class, how many are of it

  struct Mistake {
    size_t label, predicted, images;
  };
  // The most frequent ones, at most that many, without those that never happen.
  std::vector<Mistake> worst(size_t most) const;
};

// "image,label,predicted,probability,label_probability" with the classes' names and a row for each of images, the
// numbers of the images in their set.
std::string predictions_csv(const Predictions& predictions, const std::vector<uint32_t>& images,
                            const std::vector<std::string>& class_names);

}  // namespace signstep
