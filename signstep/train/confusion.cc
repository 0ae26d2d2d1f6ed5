// SPDX-License-Identifier: Apache-2.0
#include "signstep/train/confusion.h"

#include <filesystem>

#include "signstep/base/error.h"
#include "signstep/base/text_table.h"

namespace signstep {

Confusion confusion_of(const Predictions& p, const std::vector<std::string>& class_names,
                       const std::string& checkpoint) {
  Confusion out{.checkpoint = std::filesystem::path(checkpoint).filename().string(),
                .classes = class_names,
                .counts = std::vector(p.classes, std::vector<uint64_t>(p.classes))};
  for (size_t i = 0; i < p.labels.size(); ++i) ++out.counts[p.labels[i]][p.predicted[i]];
  return out;
}

std::string predictions_csv(const Predictions& p, const std::vector<uint32_t>& images,
                            const std::vector<std::string>& class_names) {
  std::string text = kPredictionsHead;
  for (size_t i = 0; i < p.labels.size(); ++i) {
    text += fmt::format("{},{},{},{},{}\n", images.at(i), csv_cell(class_names.at(p.labels[i])),
                        csv_cell(class_names.at(p.predicted[i])), p.probability(i, p.predicted[i]),
                        p.probability(i, p.labels[i]));
  }
  return text;
}

}  // namespace signstep
