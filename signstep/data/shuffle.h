// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include "signstep/random/random.h"

namespace signstep {

// Fisher and Yates from the front (Durstenfeld 1964), unbiased: after i swaps the first i values are final, so a longer
// prefix contains every shorter one. Throws OptionError beyond 2^32 - 1 values.
void shuffle(std::span<uint32_t> values, Stream stream);

}  // namespace signstep
