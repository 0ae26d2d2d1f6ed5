// SPDX-License-Identifier: Apache-2.0
#include "signstep/experiment/same_data.h"

#include "signstep/base/error.h"

namespace signstep {

std::string data_set_of(const PlannedRun& run) {
  const std::string& labels = run.options.labels;
  const int64_t pixels = run.options.image_size;  // pictures of a folder are other images at another size
  return run.options.dataset + (labels == "fine" ? "" : fmt::format(", {} labels", labels)) +
         (pixels == 0 ? "" : fmt::format(", {} pixels", pixels));
}

void SameData::saw(const std::string& data_set, const std::string& checksum, const std::string& who) {
  if (checksum.empty()) return;
  const auto [first, added] = first_.try_emplace(data_set, std::pair(checksum, who));
  if (added || first->second.first == checksum) return;
  throw DataError(
      fmt::format("{} has images of {} with the checksum {}, and {} has {}; runs on different images cannot be "
                  "compared: name the same "
                  "data set with --data, or choose another --output",
                  who, data_set, checksum.substr(0, 12), first->second.second, first->second.first.substr(0, 12)));
}

}  // namespace signstep
