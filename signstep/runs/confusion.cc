// SPDX-License-Identifier: Apache-2.0
#include "signstep/runs/confusion.h"

#include <algorithm>

#include "signstep/base/error.h"
#include "signstep/io/atomic_file.h"
#include "signstep/io/json_text.h"
#include "signstep/io/path.h"

namespace signstep {
namespace {

constexpr size_t kMostImages = size_t{1} << 40;  // sums of them stay far from overflow

double percent(uint64_t part, uint64_t of) {
  return of == 0 ? kNotSaid : 100.0 * static_cast<double>(part) / static_cast<double>(of);
}

}  // namespace

uint64_t Confusion::images(size_t label) const {
  uint64_t sum = 0;
  for (const uint64_t count : counts[label]) sum += count;
  return sum;
}

uint64_t Confusion::predicted(size_t label) const {
  uint64_t sum = 0;
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

std::string confusion_path(const std::string& run_folder) { return run_folder + "/confusion.json"; }

void write_confusion(const std::string& run_folder, const Confusion& confusion) {
  write_file_atomic(confusion_path(run_folder), json_text(fields_json(confusion)) + "\n");
}

std::optional<Confusion> read_confusion(const std::string& run_folder) {
  const std::string path = confusion_path(run_folder);
  if (!path_exists(path)) return std::nullopt;
  const auto out = fields_from<Confusion>(parse_json(read_text_file(path), path, {.values = size_t{1} << 22}));
  const size_t n = out.classes.size();
  const bool square =
      n > 0 && out.counts.size() == n && std::all_of(out.counts.begin(), out.counts.end(), [&](auto& r) {
        return r.size() == n && std::all_of(r.begin(), r.end(), [](uint64_t images) { return images <= kMostImages; });
      });
  if (!square) {
    throw DataError(
        fmt::format("{} holds {} names of classes and no table of as many rows and columns of images; "
                    "signstep eval {} --confusion writes it again",
                    path, n, run_folder));
  }
  return out;
}

}  // namespace signstep
