// SPDX-License-Identifier: Apache-2.0
// What the ranks of a run tell each other besides votes and gradients. All are collective.
#pragma once

#include <cstddef>
#include <span>

#include "signstep/nn/engine.h"
#include "signstep/wire/communicator.h"

namespace signstep {

// The mean of the ranks' losses, added in rank order, and the sum of what was correct: the same at every rank.
BatchResult over_ranks(Communicator& world, const BatchResult& own);

// Throws EnvironmentError at every rank where some rank's bytes are not rank 0's, by SHA-256: "rank 2 holds other WHAT
// than rank 0". Cost: a pass of SHA-256, and 64 bytes to each rank.
void require_same(Communicator& world, std::span<const std::byte> bytes, const char* what);

}  // namespace signstep
