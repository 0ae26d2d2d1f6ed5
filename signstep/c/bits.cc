// SPDX-License-Identifier: Apache-2.0
// The functions of signstep.h that are about signs as bits.
#include <cmath>

#include "signstep/base/error.h"
#include "signstep/c/boundary.h"
#include "signstep/c/shared_threads.h"
#include "signstep/c/signstep.h"
#include "signstep/kernels/majority_vote.h"
#include "signstep/kernels/sign_bits.h"

using namespace signstep;

namespace {

constexpr uint64_t kMostValues = uint64_t{1} << 39;  // of a packed message

void require_values(uint64_t n, uint64_t most) {
  if (n >= most) throw OptionError(fmt::format("n is {}; wanted less than {}", n, most));
}

ZeroPolicy zero_policy(uint32_t zero) {
  if (zero == SIGNSTEP_ZERO_RANDOM) return ZeroPolicy::kRandom;
  if (zero == SIGNSTEP_ZERO_PLUS) return ZeroPolicy::kPlus;
  throw OptionError(fmt::format(
      "zero is {}; wanted SIGNSTEP_ZERO_RANDOM or SIGNSTEP_ZERO_PLUS, as a bit cannot say 'no step'", zero));
}

}  // namespace

uint64_t signstep_words(uint64_t elements) { return elements / 64 + (elements % 64 != 0); }

int signstep_pack(const float* values, uint64_t n, uint32_t zero, const signstep_draw* coins, uint64_t* words,
                  uint64_t* nonfinite) {
  return guarded([&] {
    require_values(n, kMostValues);
    if (n > 0) require_pointer(values, "values", "n of them");
    if (n > 0) require_pointer(words, "words", "signstep_words(n) of them");
    require_pointer(coins, "coins", "which coins fall for 0, NaN and infinity");
    const ZeroPolicy policy = zero_policy(zero);
    const Stream stream(coins->seed, Purpose::kZeroCoin, coins->step, coins->tensor, coins->rank);
    uint64_t seen = 0;
    with_executor([&](Executor& executor) {
      seen = pack_signs({values, n}, policy, stream, {words, sign_words(n)}, executor);
    });
    if (nonfinite != nullptr) *nonfinite = seen;
  });
}

int signstep_unpack(const uint64_t* words, uint64_t n, float* values) {
  return guarded([&] {
    require_values(n, kMostValues);
    if (n > 0) require_pointer(words, "words", "signstep_words(n) of them");
    if (n > 0) require_pointer(values, "values", "n of them");
    with_executor([&](Executor& executor) { unpack_signs({words, sign_words(n)}, {values, n}, executor); });
  });
}

int signstep_apply(const uint64_t* words, uint64_t n, double lr, double decay_factor, float* x) {
  return guarded([&] {
    require_values(n, kMostValues);
    if (n > 0) require_pointer(words, "words", "signstep_words(n) of them");
    if (n > 0) require_pointer(x, "x", "n values");
    if (!(lr >= 0 && std::isfinite(static_cast<float>(lr))))
      throw OptionError(fmt::format("lr is {}; wanted a finite number of at least 0 that float32 holds", lr));
    if (!(decay_factor > 0 && decay_factor <= 1))
      throw OptionError(fmt::format("decay_factor is {}; wanted a number in (0, 1]", decay_factor));
    with_executor([&](Executor& executor) { apply_signs({words, sign_words(n)}, lr, decay_factor, {x, n}, executor); });
  });
}

int signstep_majority(const uint64_t* votes, uint64_t workers, uint64_t words, uint32_t ties,
                      const signstep_draw* coins, uint64_t first_word, uint64_t* majority) {
  return guarded([&] {
    require_pointer(coins, "coins", "which coins fall for ties");
    if (ties != SIGNSTEP_TIE_RANDOM && ties != SIGNSTEP_TIE_PLUS)
      throw OptionError(fmt::format("ties is {}; wanted SIGNSTEP_TIE_RANDOM or SIGNSTEP_TIE_PLUS", ties));
    if (workers < 1 || workers > kMostWorkers)
      throw OptionError(fmt::format("{} workers; wanted 1 to {}", workers, kMostWorkers));
    constexpr uint64_t kMostWords = uint64_t{1} << 33;
    if (words > kMostWords || first_word > kMostWords - words)
      throw OptionError(fmt::format("words {} to {} of a message; wanted less than 2^33", first_word, words));
    if (words > 0) require_pointer(votes, "votes", "workers times words");
    if (words > 0) require_pointer(majority, "majority", "as many as words");
    const VoteTies rule{ties == SIGNSTEP_TIE_PLUS ? TieRule::kPlus : TieRule::kRandom, coins->seed, coins->step,
                        coins->tensor, first_word};
    with_executor([&](Executor& executor) {
      majority_of({votes, workers * words}, workers, rule, {majority, words}, executor);
    });
  });
}
