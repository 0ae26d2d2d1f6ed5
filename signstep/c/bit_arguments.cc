// SPDX-License-Identifier: Apache-2.0
#include "signstep/c/bit_arguments.h"

#include <cmath>

#include "signstep/base/error.h"
#include "signstep/c/boundary.h"
#include "signstep/kernels/vote_block.h"

namespace signstep {

void require_values(uint64_t n) {
  constexpr uint64_t kMostValues = uint64_t{1} << 39;  // of a packed message
  if (n >= kMostValues) throw OptionError(fmt::format("n is {}; wanted less than {}", n, kMostValues));
}

ZeroPolicy zero_policy(uint32_t zero) {
  if (zero == SIGNSTEP_ZERO_RANDOM) return ZeroPolicy::kRandom;
  if (zero == SIGNSTEP_ZERO_PLUS) return ZeroPolicy::kPlus;
  throw OptionError(fmt::format(
      "zero is {}; wanted SIGNSTEP_ZERO_RANDOM or SIGNSTEP_ZERO_PLUS, as a bit cannot say 'no step'", zero));
}

void require_rate(double lr, double decay_factor) {
  if (!(lr >= 0 && std::isfinite(static_cast<float>(lr))))
    throw OptionError(fmt::format("lr is {}; wanted a finite number of at least 0 that float32 holds", lr));
  if (!(decay_factor > 0 && decay_factor <= 1))
    throw OptionError(fmt::format("decay_factor is {}; wanted a number in (0, 1]", decay_factor));
}

VoteTies vote_ties(const uint64_t* votes, uint64_t workers, uint64_t words, uint32_t ties, const signstep_draw* coins,
                   uint64_t first_word, const uint64_t* majority) {
  require_pointer(coins, "coins", "which coins fall for ties");
  if (ties != SIGNSTEP_TIE_RANDOM && ties != SIGNSTEP_TIE_PLUS)
    throw OptionError(fmt::format("ties is {}; wanted SIGNSTEP_TIE_RANDOM or SIGNSTEP_TIE_PLUS", ties));
  require_vote_size(workers, words, first_word);
  if (words > 0) require_pointer(votes, "votes", "workers times words");
  if (words > 0) require_pointer(majority, "majority", "as many as words");
  return {ties == SIGNSTEP_TIE_PLUS ? TieRule::kPlus : TieRule::kRandom, coins->seed, coins->step, coins->tensor,
          first_word};
}

}  // namespace signstep
