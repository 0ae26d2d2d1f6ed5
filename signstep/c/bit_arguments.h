// SPDX-License-Identifier: Apache-2.0
// The arguments of packing and voting, checked alike for the CPU and for CUDA devices. Each throws OptionError.
#pragma once

#include <cstdint>

#include "signstep/c/signstep.h"
#include "signstep/kernels/majority_vote.h"
#include "signstep/kernels/step.h"

namespace signstep {

void require_values(uint64_t n);
ZeroPolicy zero_policy(uint32_t zero);
void require_rate(double lr, double decay_factor);
VoteTies vote_ties(const uint64_t* votes, uint64_t workers, uint64_t words, uint32_t ties, const signstep_draw* coins,
                   uint64_t first_word, const uint64_t* majority);

}  // namespace signstep
