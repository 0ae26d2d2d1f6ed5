// SPDX-License-Identifier: Apache-2.0
// The mean over ranks of scaled signs, sent on as scaled signs, with one bit a coordinate either way: what the second
// rounding leaves out is kept where it arose and comes back (Zheng, Huang, Kwok 2019, arXiv 1905.10936, algorithm 2,
// its blocks being our tensors).
#pragma once

#include <span>
#include <vector>

#include "signstep/optim/ballot.h"
#include "signstep/optim/rule.h"

namespace signstep {

// In: this rank's signs s_r and, for each tensor, its scale a_r >= 0. Out: the same at every rank, signs s and scales
// a, with a s = v - (what is left), v = (sum of a_r s_r) / M + residual, a = |v|_1 / n. residual is flat like the
// parameters; a rank reads and writes the coordinates that it is the owner of (wire/slices.h). A v of 0 has a coin's
// sign, by seed and step, which are below 2^48. Collective; the same bits for any number of threads. Throws as
// Communicator does. On the wire: the bits, and 16 bytes a tensor and rank.
std::vector<double> vote_scaled_signs(Communicator& world, Ballot& ballot, std::span<const TensorSlot> tensors,
                                      std::span<const double> scales, std::span<float> residual, uint64_t seed,
                                      uint64_t step, Executor& executor);

}  // namespace signstep
