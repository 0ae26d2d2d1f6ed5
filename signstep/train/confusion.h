// SPDX-License-Identifier: Apache-2.0
// Which classes are taken for which, from what the network says of each image.
#pragma once

#include <string>
#include <vector>

#include "signstep/runs/confusion.h"
#include "signstep/train/evaluate.h"

namespace signstep {

// class_names: one a class. checkpoint: where the network is from, "" where nobody asks.
Confusion confusion_of(const Predictions& predictions, const std::vector<std::string>& class_names,
                       const std::string& checkpoint = "");

// The head, with the classes' names, and a row for each of images, the numbers of the images in their set.
inline constexpr const char* kPredictionsHead = "image,label,predicted,probability,label_probability\n";
std::string predictions_csv(const Predictions& predictions, const std::vector<uint32_t>& images,
                            const std::vector<std::string>& class_names);

}  // namespace signstep
