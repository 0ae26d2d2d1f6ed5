// SPDX-License-Identifier: Apache-2.0
#include "signstep/optim/vote_stepper.h"

#include <cassert>
#include <vector>

#include "signstep/kernels/sign_bits.h"
#include "signstep/wire/majority_vote.h"

namespace signstep {
namespace {

// Where each tensor's bits begin in the message, and last where it ends.
std::vector<size_t> first_words(std::span<const StepTensor> tensors) {
  std::vector<size_t> first = {0};
  for (const StepTensor& tensor : tensors) first.push_back(first.back() + sign_words(tensor.n));
  return first;
}

// Packs s where a step from x = 0 at a rate of 1 left -s, or 0 where there was no step: a coin then, as fair when it is
// turned around.
void pack_steps(std::span<const float> stepped, const Stream& coins, std::span<uint64_t> words, Executor& executor) {
  pack_signs(stepped, ZeroPolicy::kRandom, coins, words, executor);
  for (uint64_t& word : words) word = ~word;
  if (stepped.size() % 64 != 0) words.back() &= (uint64_t{1} << stepped.size() % 64) - 1;
}

void sum_nonfinite(Communicator& world, std::span<StepStatistics> statistics) {
  std::vector<uint64_t> own, all(world.size() * statistics.size());
  for (const StepStatistics& s : statistics) own.push_back(s.nonfinite);
  world.all_gather(std::as_bytes(std::span(own)), std::as_writable_bytes(std::span(all)));
  for (size_t t = 0; t < statistics.size(); ++t) {
    statistics[t].nonfinite = 0;
    for (size_t r = 0; r < world.size(); ++r) statistics[t].nonfinite += all[r * statistics.size() + t];
  }
}

}  // namespace

void VoteStepper::sign(std::span<const StepTensor> tensors, std::span<const SignStep> steps,
                       std::span<StepStatistics> statistics) {
  if (tensors.empty()) return;
  const std::vector<size_t> first = first_words(tensors);
  std::vector<float> signs(64 * first.back());  // x = 0
  std::vector<uint64_t> bits(first.back());
  std::vector<StepTensor> own(tensors.begin(), tensors.end());
  std::vector<SignStep> own_steps(steps.begin(), steps.end());
  for (size_t t = 0; t < own.size(); ++t) {
    assert(steps[t].zero == ZeroPolicy::kRandom && steps[t].sums != StepSums::kAll && tensors[t].sgd_rate == 0);
    own[t].x = signs.data() + 64 * first[t];
    own_steps[t].lr = 1;
    own_steps[t].decay_factor = 1;
    own_steps[t].rank = static_cast<uint32_t>(world_.rank());
  }
  KernelStepper::sign(own, own_steps, statistics);
  const auto words_of = [&](size_t t) { return std::span(bits).subspan(first[t], first[t + 1] - first[t]); };
  for (size_t t = 0; t < own.size(); ++t) {
    const SignStep& s = own_steps[t];
    const Stream coins(s.seed, Purpose::kZeroCoin, s.step, own[t].index, s.rank);
    pack_steps({own[t].x, own[t].n}, coins, words_of(t), executor_);
  }
  majority_vote(world_, bits, {.seed = steps[0].seed, .step = steps[0].step}, executor_);
  sum_nonfinite(world_, statistics);
  for (size_t t = 0; t < tensors.size(); ++t)
    apply_signs(words_of(t), steps[t].lr, tensors[t].decay ? steps[t].decay_factor : 1, {tensors[t].x, tensors[t].n},
                executor_);
}

void VoteStepper::measure(std::span<const StepTensor> tensors, const SignStep& step,
                          std::span<StepStatistics> statistics) {
  SignStep own = step;
  own.rank = static_cast<uint32_t>(world_.rank());
  KernelStepper::measure(tensors, own, statistics);
}

}  // namespace signstep
