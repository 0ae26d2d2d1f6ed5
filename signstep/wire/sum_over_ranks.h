// SPDX-License-Identifier: Apache-2.0
// Sums of float32 over ranks whose bits do not depend on who computes them: every element is added in rank order,
//
//   s = ((v_0 + v_1) + v_2) + ... + v_(M - 1),   mean = s / M   (float32, each operation rounded once)
//
// by an all-to-all, the sum of a slice at each rank, an all-gather: the bytes of a ring, and the bits of a loop over M
// workers in one process. A NaN's sign and payload are not specified.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "signstep/parallel/executor.h"
#include "signstep/wire/communicator.h"

namespace signstep {

// What a rank sends for it: 64 (M - 1) / M bits an element, rounded up to elements.
constexpr uint64_t sum_bytes(uint64_t elements, uint64_t ranks) {
  return 2 * (ranks - 1) * ((elements + ranks - 1) / ranks) * 4;
}

// values become the sum, or the mean, over all ranks, at every rank. A world of one uses no wire and keeps its bits.
// Throws EnvironmentError as communicator.h says; then values are as before. Scratch: 8 bytes an element.
void sum_over_ranks(Communicator& communicator, std::span<float> values, Executor& executor);
void mean_over_ranks(Communicator& communicator, std::span<float> values, Executor& executor);

// The same of everyone's values in one process: values[r] are rank r's, at least one, all of the same size.
std::vector<float> sum_over_ranks_ref(std::span<const std::vector<float>> values);
std::vector<float> mean_over_ranks_ref(std::span<const std::vector<float>> values);

}  // namespace signstep
