// SPDX-License-Identifier: Apache-2.0
#include "signstep/data/cifar.h"

#include "signstep/base/error.h"

namespace signstep {
namespace {

void check_label(uint8_t label, int classes, const char* what, size_t record, const std::string& path) {
  if (label < classes) return;
  throw DataError(fmt::format("{}: record {} has {} {}; wanted 0 to {}; is it another data set's file?", path, record,
                              what, label, classes - 1));
}

}  // namespace

void append_cifar(std::span<const uint8_t> bytes, const CifarLayout& layout, const std::string& path, ImageSet& set) {
  const size_t stride = layout.record_bytes();
  const size_t records = bytes.size() / stride;
  if (records == 0 || bytes.size() % stride != 0) {
    throw DataError(
        fmt::format("{} has {} bytes, {} records of {} and {} bytes more; wanted a whole number of records, "
                    "1 or more ({} bytes for {}); get the file again",
                    path, bytes.size(), records, stride, bytes.size() % stride, (records + 1) * stride, records + 1));
  }
  for (size_t i = 0; i < records; ++i) {
    const uint8_t* record = bytes.data() + i * stride;
    if (layout.label_bytes == 1) {
      check_label(record[0], 10, "label", i, path);
    } else {
      check_label(record[0], 20, "coarse label", i, path);
      check_label(record[1], 100, "fine label", i, path);
    }
  }
  set.channels = 3;
  set.height = set.width = 32;
  set.classes = layout.classes();
  set.labels.reserve(set.labels.size() + records);
  set.pixels.reserve(set.pixels.size() + records * kCifarPixels);
  const size_t label = layout.label_bytes == 2 && layout.labels == CifarLabels::kFine ? 1 : 0;
  for (size_t i = 0; i < records; ++i) {
    const std::span<const uint8_t> record = bytes.subspan(i * stride, stride);
    set.labels.push_back(record[label]);
    set.pixels.insert(set.pixels.end(), record.begin() + layout.label_bytes, record.end());
  }
}

}  // namespace signstep
