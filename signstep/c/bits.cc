// SPDX-License-Identifier: Apache-2.0
// The functions of signstep.h that are about signs as bits.
#include "signstep/c/bit_arguments.h"
#include "signstep/c/boundary.h"
#include "signstep/c/shared_threads.h"
#include "signstep/c/signstep.h"
#include "signstep/kernels/majority_vote.h"
#include "signstep/kernels/sign_bits.h"

using namespace signstep;

uint64_t signstep_words(uint64_t elements) { return elements / 64 + (elements % 64 != 0); }

int signstep_pack(const float* values, uint64_t n, uint32_t zero, const signstep_draw* coins, uint64_t* words,
                  uint64_t* nonfinite) {
  return guarded([&] {
    require_values(n);
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
    require_values(n);
    if (n > 0) require_pointer(words, "words", "signstep_words(n) of them");
    if (n > 0) require_pointer(values, "values", "n of them");
    with_executor([&](Executor& executor) { unpack_signs({words, sign_words(n)}, {values, n}, executor); });
  });
}

int signstep_apply(const uint64_t* words, uint64_t n, double lr, double decay_factor, float* x) {
  return guarded([&] {
    require_values(n);
    if (n > 0) require_pointer(words, "words", "signstep_words(n) of them");
    if (n > 0) require_pointer(x, "x", "n values");
    require_rate(lr, decay_factor);
    with_executor([&](Executor& executor) { apply_signs({words, sign_words(n)}, lr, decay_factor, {x, n}, executor); });
  });
}

int signstep_majority(const uint64_t* votes, uint64_t workers, uint64_t words, uint32_t ties,
                      const signstep_draw* coins, uint64_t first_word, uint64_t* majority) {
  return guarded([&] {
    const VoteTies rule = vote_ties(votes, workers, words, ties, coins, first_word, majority);
    with_executor([&](Executor& executor) {
      majority_of({votes, workers * words}, workers, rule, {majority, words}, executor);
    });
  });
}
