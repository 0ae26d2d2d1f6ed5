// SPDX-License-Identifier: Apache-2.0
#include "signstep/train/confusion.h"

#include <algorithm>
#include <limits>

#include "signstep/base/error.h"
#include "signstep/base/text_table.h"

namespace signstep {
namespace {

double percent(size_t part, size_t of) {
  return of == 0 ? std::numeric_limits<double>::quiet_NaN()
                 : 100.0 * static_cast<double>(part) / static_cast<double>(of);
}

}  // namespace

Confusion::Confusion(const Predictions& p) : counts(p.classes, std::vector<size_t>(p.classes)) {
  for (size_t i = 0; i < p.labels.size(); ++i) ++counts[p.labels[i]][p.predicted[i]];
}

size_t Confusion::images(size_t label) const {
  size_t sum = 0;
  for (const size_t count : counts[label]) sum += count;
  return sum;
}

size_t Confusion::predicted(size_t label) const {
  size_t sum = 0;
  for (const auto& row : counts) sum += row[label];
  return sum;
}

double Confusion::recall(size_t label) const { return percent(counts[label][label], images(label)); }
double Confusion::precision(size_t label) const { return percent(counts[label][label], predicted(label)); }

std::vector<Confusion::Mistake> Confusion::worst(size_t most) const {
  std::vector<Mistake> all;
  for (size_t label = 0; label < counts.size(); ++label)
    for (size_t other = 0; other < counts.size(); ++other)
      if (other != label && counts[label][other] > 0) all.push_back({label, other, counts[label][other]});
  std::stable_sort(all.begin(), all.end(), [](const Mistake& a, const Mistake& b) { return a.images > b.images; });
  if (all.size() > most) all.resize(most);
  return all;
}

std::string predictions_csv(const Predictions& p, const std::vector<uint32_t>& images,
                            const std::vector<std::string>& class_names) {
  std::string text = "image,label,predicted,probability,label_probability\n";
  for (size_t i = 0; i < p.labels.size(); ++i) {
    text += fmt::format("{},{},{},{},{}\n", images.at(i), csv_cell(class_names.at(p.labels[i])),
                        csv_cell(class_names.at(p.predicted[i])), p.probability(i, p.predicted[i]),
                        p.probability(i, p.labels[i]));
  }
  return text;
}

}  // namespace signstep
