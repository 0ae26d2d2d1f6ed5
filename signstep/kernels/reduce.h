// SPDX-License-Identifier: Apache-2.0
// Sums over one array in the fixed order of lane_sums.h, so with the same bits for any thread count and SIMD target
// (a NaN's sign and payload excepted). Products of two floats are exact in double. NaN and infinity propagate.
// Cost: one read of each array.
#pragma once

#include <span>

#include "signstep/parallel/executor.h"

namespace signstep {

double dot(std::span<const float> a, std::span<const float> b, Executor& executor);  // sum of a[i] b[i], equal sizes
double sum_of_squares(std::span<const float> a, Executor& executor);                 // sum of a[i]^2
double l1_norm(std::span<const float> a, Executor& executor);                        // sum of |a[i]|

double dot_ref(std::span<const float> a, std::span<const float> b);
double sum_of_squares_ref(std::span<const float> a);
double l1_norm_ref(std::span<const float> a);

}  // namespace signstep
