// SPDX-License-Identifier: Apache-2.0
#include "signstep/data/idx_reader.h"

#include "signstep/base/error.h"
#include "signstep/data/idx.h"

namespace signstep {
namespace {

size_t rank_of(const DataFile& file) { return file.holds == Holds::kImages ? 3 : 1; }

void check_shape(const DatasetSpec& spec, const std::vector<uint32_t>& sizes, const std::string& path) {
  if (sizes[1] == static_cast<uint32_t>(spec.height) && sizes[2] == static_cast<uint32_t>(spec.width)) return;
  throw DataError(fmt::format("{} has images of {} x {}; wanted {} x {}; is it another data set?", path, sizes[1],
                              sizes[2], spec.height, spec.width));
}

void check_labels(std::span<const uint8_t> labels, int classes, const std::string& path) {
  for (size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] < classes) continue;
    throw DataError(fmt::format("{}: record {} has label {}; wanted 0 to {}; is it another data set's file?", path, i,
                                labels[i], classes - 1));
  }
}

std::vector<uint8_t> unpack(std::vector<uint8_t> bytes, const DataFile& file, const std::string& path) {
  return unpack_idx(std::move(bytes), rank_of(file), path);
}

void append(const DatasetSpec& spec, const DataFile& file, size_t kind, std::span<const uint8_t> content,
            const std::string& path, ImageSet& set) {
  const IdxArray array = parse_idx(content, rank_of(file), path);
  const bool images = file.holds == Holds::kImages;
  if (images) {
    check_shape(spec, array.sizes, path);
  } else {
    check_labels(array.values, spec.labels[kind].classes, path);
  }
  std::vector<uint8_t>& all = images ? set.pixels : set.labels;
  all.insert(all.end(), array.values.begin(), array.values.end());
}

size_t count(const DatasetSpec& spec, const DataFile& file, const std::string& path) {
  const std::vector<uint32_t> sizes = peek_idx(path, rank_of(file));
  if (file.holds == Holds::kImages) check_shape(spec, sizes, path);
  return sizes[0];
}

}  // namespace

const DatasetReader kIdxReader = {.unpack = unpack, .append = append, .count = count};

}  // namespace signstep
