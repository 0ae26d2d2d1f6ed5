// SPDX-License-Identifier: Apache-2.0
// The functions of signstep.h that are about signs as bits on a device.
#include "signstep/base/error.h"
#include "signstep/c/bit_arguments.h"
#include "signstep/c/boundary.h"
#include "signstep/c/element_type.h"
#include "signstep/c/signstep.h"
#include "signstep/cuda/device.h"
#include "signstep/kernels/vote_block.h"

using namespace signstep;

namespace {

bool aligned(const void* array) { return reinterpret_cast<uintptr_t>(array) % 16 == 0; }

void run_signs(uint32_t device, void* stream, const SignsArguments& arguments, const char* doing) {
  if (arguments.n == 0) return;
  const DeviceCalls& calls = device_calls();
  require_success(calls, calls.signs(static_cast<int>(device), stream, &arguments), doing);
}

}  // namespace

int signstep_cuda_pack(uint32_t device, void* stream, const void* values, uint32_t type, uint64_t n, uint32_t zero,
                       const signstep_draw* coins, uint64_t* words, uint64_t* nonfinite) {
  return guarded([&] {
    require_values(n);
    if (n > 0) require_pointer(values, "values", "n of them");
    if (n > 0) require_pointer(words, "words", "signstep_words(n) of them");
    require_pointer(coins, "coins", "which coins fall for 0, NaN and infinity");
    const PackArguments arguments{values,
                                  element_type(type, "type"),
                                  aligned(values),
                                  n,
                                  zero_policy(zero),
                                  Stream(coins->seed, Purpose::kZeroCoin, coins->step, coins->tensor, coins->rank),
                                  words,
                                  nonfinite};
    if (n == 0) return;
    const DeviceCalls& calls = device_calls();
    require_success(calls, calls.pack(static_cast<int>(device), stream, &arguments), "packing signs");
  });
}

int signstep_cuda_unpack(uint32_t device, void* stream, const uint64_t* words, uint64_t n, float* values) {
  return guarded([&] {
    require_values(n);
    if (n > 0) require_pointer(words, "words", "signstep_words(n) of them");
    if (n > 0) require_pointer(values, "values", "n of them");
    run_signs(device, stream, {words, n, values, aligned(values), false, 0, 0}, "unpacking signs");
  });
}

int signstep_cuda_apply(uint32_t device, void* stream, const uint64_t* words, uint64_t n, double lr,
                        double decay_factor, float* x) {
  return guarded([&] {
    require_values(n);
    if (n > 0) require_pointer(words, "words", "signstep_words(n) of them");
    if (n > 0) require_pointer(x, "x", "n values");
    require_rate(lr, decay_factor);
    run_signs(device, stream, {words, n, x, aligned(x), true, static_cast<float>(lr), static_cast<float>(decay_factor)},
              "stepping along signs");
  });
}

int signstep_cuda_majority(uint32_t device, void* stream, const uint64_t* votes, uint64_t workers, uint64_t words,
                           uint32_t ties, const signstep_draw* coins, uint64_t first_word, uint64_t* majority) {
  return guarded([&] {
    const VoteTies rule = vote_ties(votes, workers, words, ties, coins, first_word, majority);
    if (words == 0) return;
    const VoteBlock block({votes, workers * words}, workers, rule, {majority, words});
    const DeviceCalls& calls = device_calls();
    require_success(calls, calls.vote(static_cast<int>(device), stream, &block), "counting votes");
  });
}
