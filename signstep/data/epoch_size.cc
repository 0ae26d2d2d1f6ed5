// SPDX-License-Identifier: Apache-2.0
#include "signstep/data/epoch_size.h"

#include "signstep/base/error.h"

namespace signstep {

EpochSize epoch_size(size_t images, size_t batch, size_t ranks, bool drop_last) {
  const size_t last = images % batch;
  const size_t samples = images - (drop_last ? last : last % ranks);
  return {samples, (samples + batch - 1) / batch};
}

void require_full_batch(size_t batch, size_t images) {
  if (batch > images)
    throw OptionError(fmt::format("batch {} is larger than the {} images it is taken from; choose at most {}", batch,
                                  images, images));
}

void require_equal_shares(size_t batch, size_t ranks) {
  if (batch % ranks != 0)
    throw OptionError(
        fmt::format("a batch of {} has no equal shares for {} workers; choose a multiple of {}", batch, ranks, ranks));
}

}  // namespace signstep
