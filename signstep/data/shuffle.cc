// SPDX-License-Identifier: Apache-2.0
#include "signstep/data/shuffle.h"

#include <utility>

#include "signstep/base/error.h"

namespace signstep {

void shuffle(std::span<uint32_t> values, Stream stream) {
  if (values.size() > UINT32_MAX) {
    throw OptionError(fmt::format("cannot shuffle {} values; wanted at most {}", values.size(), UINT32_MAX));
  }
  SequentialRandom random(stream);
  for (size_t i = 0; i + 1 < values.size(); ++i) {
    std::swap(values[i], values[i + random.below(static_cast<uint32_t>(values.size() - i))]);
  }
}

}  // namespace signstep
