// SPDX-License-Identifier: Apache-2.0
#include "signstep/optim/vote_stepper.h"

#include <algorithm>
#include <cassert>
#include <vector>

#include "signstep/kernels/reduce.h"
#include "signstep/kernels/sign_bits.h"
#include "signstep/optim/ballot.h"
#include "signstep/optim/mean_squares.h"
#include "signstep/wire/gather.h"

namespace signstep {
namespace {

// Packs s where a step from x = 0 at a rate of 1 left -s, or 0 where there was no step: a coin then, as fair when it is
// turned around.
void pack_steps(std::span<const float> stepped, const Stream& coins, std::span<uint64_t> words, Executor& executor) {
  pack_signs(stepped, ZeroPolicy::kRandom, coins, words, executor);
  flip_signs(words, stepped.size());
}

void count_over_ranks(Communicator& world, std::span<const StepTensor> tensors, std::span<StepStatistics> statistics) {
  std::vector<uint64_t> own;
  for (const StepStatistics& s : statistics) own.push_back(s.nonfinite);
  const std::vector<uint64_t> nonfinite = sums_over_ranks(world, std::span<const uint64_t>(own));
  for (size_t t = 0; t < statistics.size(); ++t) {
    StepStatistics& s = statistics[t];
    s.nonfinite = nonfinite[t];
    s.finite = tensors[t].n - std::min<uint64_t>(tensors[t].n, s.nonfinite);
  }
}

}  // namespace

void RankStepper::sign(std::span<const StepTensor> tensors, std::span<const SignStep> steps,
                       std::span<StepStatistics> statistics) {
  std::vector<SignStep> own(steps.begin(), steps.end());
  for (SignStep& step : own) step.rank = rank_;
  KernelStepper::sign(tensors, own, statistics);
}

void RankStepper::measure(std::span<const StepTensor> tensors, const SignStep& step,
                          std::span<StepStatistics> statistics) {
  SignStep own = step;
  own.rank = rank_;
  KernelStepper::measure(tensors, own, statistics);
}

void VoteStepper::sign(std::span<const StepTensor> tensors, std::span<const SignStep> steps,
                       std::span<StepStatistics> statistics) {
  if (tensors.empty()) return;
  std::vector<size_t> sizes, first;
  size_t elements = 0;
  for (const StepTensor& tensor : tensors) {
    sizes.push_back(tensor.n);
    first.push_back(elements);
    elements += tensor.n;
  }
  std::vector<float> signs(elements);  // x = 0
  std::vector<StepTensor> own(tensors.begin(), tensors.end());
  std::vector<SignStep> own_steps(steps.begin(), steps.end());
  for (size_t t = 0; t < own.size(); ++t) {
    assert(steps[t].zero == ZeroPolicy::kRandom && tensors[t].sgd_rate == 0);
    own[t].x = signs.data() + first[t];
    own_steps[t].lr = 1;
    own_steps[t].decay_factor = 1;
    own_steps[t].sums = std::min(steps[t].sums, StepSums::kSquare);
  }
  RankStepper::sign(own, own_steps, statistics);
  Ballot ballot(sizes);
  for (size_t t = 0; t < own.size(); ++t) {
    const Stream coins(steps[t].seed, Purpose::kZeroCoin, steps[t].step, own[t].index,
                       static_cast<uint32_t>(world_.rank()));
    pack_steps({own[t].x, own[t].n}, coins, ballot.words(t), executor_);
  }
  ballot.vote(world_, options_, steps[0].seed, steps[0].step, executor_);
  count_over_ranks(world_, tensors, statistics);
  for (size_t t = 0; t < tensors.size(); ++t)
    apply_signs(ballot.words(t), steps[t].lr, tensors[t].decay ? steps[t].decay_factor : 1, {tensors[t].x, sizes[t]},
                executor_);
  if (steps[0].sums != StepSums::kAll) return;
  for (size_t t = 0; t < tensors.size(); ++t) unpack_signs(ballot.words(t), {own[t].x, sizes[t]}, executor_);
  add_products(tensors, steps[0], signs, first, statistics);
}

void VoteStepper::add_products(std::span<const StepTensor> tensors, const SignStep& step, std::span<const float> signs,
                               std::span<const size_t> first, std::span<StepStatistics> statistics) {
  std::vector<std::span<const float>> directions;
  std::vector<double> products;
  for (size_t t = 0; t < tensors.size(); ++t) {
    const bool along_m = step.products_with == ProductsWith::kMomentum && tensors[t].m != nullptr;
    directions.emplace_back(along_m ? tensors[t].m : tensors[t].g, tensors[t].n);
    products.push_back(dot(signs.subspan(first[t], tensors[t].n), directions[t], executor_));
  }
  products = means_over_ranks(world_, products);
  const std::vector<double> squares = mean_squares(world_, directions, step.seed, step.step, executor_);
  for (size_t t = 0; t < tensors.size(); ++t) {
    statistics[t].nonzero = tensors[t].n;
    statistics[t].s_dot_v = products[t];
    statistics[t].v_dot_v = squares[t];
  }
}

}  // namespace signstep
