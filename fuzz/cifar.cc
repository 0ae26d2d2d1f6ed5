// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>

#include "fuzz/target.h"
#include "signstep/data/catalog.h"

namespace signstep::fuzz {

// The first byte chooses the set and the kind of labels.
void read(std::span<const uint8_t> bytes) {
  if (bytes.empty()) return;
  const DatasetSpec& spec = find_dataset(bytes[0] % 2 == 0 ? "cifar10" : "cifar100");
  const size_t kind = bytes[0] / 2 % spec.labels.size();
  ImageSet set;
  spec.reader->append(spec, spec.files[0], kind, bytes.subspan(1), "fuzz", set);
  for (const uint8_t label : set.labels)
    if (label >= spec.labels[kind].classes) std::abort();
}

std::vector<std::string> seeds() {
  return {std::string(1, '\0') + std::string(2 * 3073, '\1'), std::string(1, '\1') + std::string(3074, '\2'),
          std::string(1, '\3') + std::string(3074, '\2')};
}

}  // namespace signstep::fuzz
