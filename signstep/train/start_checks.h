// SPDX-License-Identifier: Apache-2.0
// What is refused at the start of a run because it would spoil it hours later.
#pragma once

#include <cstdint>

#include "signstep/data/epoch_size.h"
#include "signstep/nn/network.h"

namespace signstep {

// Throws OptionError where a run of so many steps would measure more gradients (analyze_every, in steps; 0: none) than
// a checkpoint's header holds.
void require_storable_probes(int64_t analyze_every, uint64_t total_steps);

// Throws OptionError where a batch norm would see one value a channel, which has no variance: the running one would be
// NaN from then on. height, width: of the images; batch: of all ranks together.
void require_batch_statistics(const Network& network, int64_t height, int64_t width, const EpochSize& epoch,
                              size_t batch, size_t ranks);

}  // namespace signstep
