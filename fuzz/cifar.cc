// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>

#include "fuzz/target.h"
#include "signstep/data/cifar.h"

namespace signstep::fuzz {

// The first byte chooses the layout.
void read(std::span<const uint8_t> bytes) {
  if (bytes.empty()) return;
  const CifarLayout layout{bytes[0] % 2 == 0 ? size_t{1} : size_t{2},
                           bytes[0] & 2 ? CifarLabels::kCoarse : CifarLabels::kFine};
  if (layout.label_bytes == 1 && layout.labels == CifarLabels::kCoarse) return;  // load_dataset refuses it before
  ImageSet set;
  append_cifar(bytes.subspan(1), layout, "fuzz", set);
  for (const uint8_t label : set.labels)
    if (label >= set.classes) std::abort();
}

std::vector<std::string> seeds() {
  return {std::string(1, '\0') + std::string(2 * 3073, '\1'), std::string(1, '\1') + std::string(3074, '\2'),
          std::string(1, '\3') + std::string(3074, '\2')};
}

}  // namespace signstep::fuzz
