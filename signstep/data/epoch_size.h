// SPDX-License-Identifier: Apache-2.0
// How images are cut into batches, and batches among ranks.
#pragma once

#include <cstddef>

namespace signstep {

struct EpochSize {
  size_t samples = 0;  // of all ranks together
  size_t batches = 0;
};

// Of that many images. An epoch's last batch may be smaller, unless drop_last leaves it out; up to ranks - 1 of its
// images, which have no equal shares, sit the epoch out.
EpochSize epoch_size(size_t images, size_t batch, size_t ranks, bool drop_last = false);

// Throws OptionError where a batch is larger than what it is taken from.
void require_full_batch(size_t batch, size_t images);

// Throws OptionError where a batch has no equal shares for that many ranks.
void require_equal_shares(size_t batch, size_t ranks);

}  // namespace signstep
