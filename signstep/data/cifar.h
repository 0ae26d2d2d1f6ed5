// SPDX-License-Identifier: Apache-2.0
// The binary version of CIFAR-10 and CIFAR-100: records of one or two label bytes and 3 x 32 x 32 pixel bytes.
// Source: Krizhevsky 2009, "Learning multiple layers of features from tiny images", and the data set's page.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "signstep/data/image_set.h"

namespace signstep {

inline constexpr size_t kCifarPixels = 3 * 32 * 32;

// CIFAR-100 has 100 fine classes in 20 coarse ones. CIFAR-10 knows only kFine.
enum class CifarLabels { kFine, kCoarse };

// Label bytes at the head of a record, and which of them is the class.
struct CifarLayout {
  size_t label_bytes;  // 1, or 2: coarse then fine
  CifarLabels labels;

  size_t record_bytes() const { return label_bytes + kCifarPixels; }
  int classes() const { return label_bytes == 1 ? 10 : labels == CifarLabels::kCoarse ? 20 : 100; }
};

inline constexpr CifarLayout kCifar10{1, CifarLabels::kFine};
inline constexpr CifarLayout kCifar100{2, CifarLabels::kFine};
inline constexpr CifarLayout kCifar100Coarse{2, CifarLabels::kCoarse};

// Appends every record of one file, any whole number above 0 of them, to set, whose shape and classes it sets. path
// only names the source in messages. Throws DataError for another length or a label out of range, with set unchanged.
void append_cifar(std::span<const uint8_t> bytes, const CifarLayout& layout, const std::string& path, ImageSet& set);

}  // namespace signstep
