// SPDX-License-Identifier: Apache-2.0
// The square of the mean of what ranks hold, from a sample of it: all of it would cost what a vote saves.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "signstep/parallel/executor.h"
#include "signstep/wire/communicator.h"

namespace signstep {

// Of each tensor |v|^2, v being the mean over ranks of their values[t], in float32 and rank order, squared and added in
// double. Exact below 4,096 elements; of larger tensors estimated from 64 elements of each 4,096, evenly spread from a
// place that seed and step draw (Philox, kSharedRank, the same at all ranks): every element is as likely to be among
// them, so the mean over draws is |v|^2, and a layer's filters, whose sizes differ by much, all have their part. The
// same sizes at all ranks. Collective: a rank sends about 1 / 64 of a float32 sum; throws as Communicator.
std::vector<double> mean_squares(Communicator& world, std::span<const std::span<const float>> values, uint64_t seed,
                                 uint64_t step, Executor& executor);

}  // namespace signstep
