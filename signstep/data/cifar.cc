// SPDX-License-Identifier: Apache-2.0
#include "signstep/data/cifar.h"

#include "signstep/base/error.h"
#include "signstep/data/read_file.h"

namespace signstep {
namespace {

size_t record_bytes(const DatasetSpec& spec) { return spec.labels.size() + spec.image_bytes(); }

size_t whole_records(const DatasetSpec& spec, uint64_t bytes, const std::string& path) {
  const size_t stride = record_bytes(spec);
  const size_t records = bytes / stride;
  if (records == 0 || bytes % stride != 0) {
    throw DataError(
        fmt::format("{} has {} bytes, {} records of {} and {} bytes more; wanted a whole number of records, "
                    "1 or more ({} bytes for {}); get the file again",
                    path, bytes, records, stride, bytes % stride, (records + 1) * stride, records + 1));
  }
  return records;
}

void check_labels(const DatasetSpec& spec, std::span<const uint8_t> record, size_t number, const std::string& path) {
  for (size_t k = 0; k < spec.labels.size(); ++k) {
    const LabelKind& kind = spec.labels[k];
    if (record[k] < kind.classes) continue;
    throw DataError(fmt::format("{}: record {} has {}label {}; wanted 0 to {}; is it another data set's file?", path,
                                number, spec.labels.size() > 1 ? kind.name + " " : "", record[k], kind.classes - 1));
  }
}

void append(const DatasetSpec& spec, const DataFile&, size_t kind, std::span<const uint8_t> content,
            const std::string& path, ImageSet& set) {
  const size_t records = whole_records(spec, content.size(), path), stride = record_bytes(spec);
  for (size_t i = 0; i < records; ++i) check_labels(spec, content.subspan(i * stride, stride), i, path);
  set.labels.reserve(set.labels.size() + records);
  set.pixels.reserve(set.pixels.size() + records * spec.image_bytes());
  for (size_t i = 0; i < records; ++i) {
    const std::span<const uint8_t> record = content.subspan(i * stride, stride),
                                   image = record.last(spec.image_bytes());
    set.labels.push_back(record[kind]);
    set.pixels.insert(set.pixels.end(), image.begin(), image.end());
  }
}

size_t count(const DatasetSpec& spec, const DataFile&, const std::string& path) {
  return whole_records(spec, data_file_bytes(path), path);
}

}  // namespace

const DatasetReader kCifarReader = {.unpack = nullptr, .append = append, .count = count};

}  // namespace signstep
