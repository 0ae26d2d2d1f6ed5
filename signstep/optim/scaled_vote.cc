// SPDX-License-Identifier: Apache-2.0
#include "signstep/optim/scaled_vote.h"

#include <algorithm>
#include <cmath>

#include "signstep/kernels/zero_coins.h"
#include "signstep/parallel/pieces.h"
#include "signstep/random/random.h"
#include "signstep/wire/gather.h"
#include "signstep/wire/slices.h"

namespace signstep {
namespace {

bool bit(uint64_t word, size_t i) { return word >> (i % 64) & 1; }

// The part of a tensor that lies in a slice: elements [begin, begin + count), whose first word is word at of the slice.
struct Part {
  size_t begin, count, at;
};

Part part_of(const Ballot& ballot, size_t tensor, size_t slice_begin, size_t slice) {
  const size_t first = ballot.first_word(tensor), n = ballot.elements(tensor), words = (n + 63) / 64;
  const size_t low = std::max(first, slice_begin), high = std::min(first + words, slice_begin + slice);
  if (low >= high) return {0, 0, 0};
  const size_t begin = 64 * (low - first);
  return {begin, std::min(n, 64 * (high - first)) - begin, low - slice_begin};
}

}  // namespace

std::vector<double> vote_scaled_signs(Communicator& world, Ballot& ballot, std::span<const TensorSlot> tensors,
                                      std::span<const double> scales, std::span<float> residual, uint64_t seed,
                                      uint64_t step, Executor& executor) {
  const size_t ranks = world.size(), slice = slice_words(ballot.bits().size(), ranks), count = tensors.size();
  const std::vector<double> all_scales = gathered(world, scales);
  const std::vector<uint64_t> votes = slices_of_all(world, ballot.bits());
  std::vector<Part> parts;
  for (size_t t = 0; t < count; ++t) parts.push_back(part_of(ballot, t, world.rank() * slice, slice));

  std::vector<float> shares;  // of each tensor, by rank; tasks do not allocate
  for (size_t t = 0; t < count; ++t)
    for (size_t r = 0; r < ranks; ++r)
      shares.push_back(static_cast<float>(all_scales[r * count + t] / static_cast<double>(ranks)));

  // v in the residual's place, and its norm.
  std::vector<double> norms(count);
  const auto size = [&](size_t t) { return parts[t].count; };
  sum_pieces(std::span(norms), executor, size, [&](size_t t, size_t begin, size_t end) {
    const float* const share = shares.data() + t * ranks;
    float* const v = residual.data() + tensors[t].offset + parts[t].begin;
    double norm = 0;
    for (size_t i = begin; i < end; ++i) {
      const uint64_t* word = votes.data() + parts[t].at + i / 64;
      for (size_t r = 0; r < ranks; ++r, word += slice) v[i] += bit(*word, i) ? share[r] : -share[r];
      norm += std::abs(v[i]);
    }
    return norm;
  });
  norms = sums_over_ranks(world, std::span<const double>(norms));
  std::vector<double> out;
  for (size_t t = 0; t < count; ++t)
    out.push_back(ballot.elements(t) == 0 ? 0.0 : norms[t] / static_cast<double>(ballot.elements(t)));

  std::vector<uint64_t> signs(slice);
  for (size_t t = 0; t < count; ++t) {
    const Part& part = parts[t];
    const Stream coins(seed, Purpose::kTieCoin, step, static_cast<uint32_t>(t), kSharedRank);
    const float scale = static_cast<float>(out[t]);
    float* const v = residual.data() + tensors[t].offset + part.begin;
    for_each_piece(part.count, executor, [&](size_t begin, size_t end) {
      for (size_t i = begin; i < end; ++i) {
        const bool plus = v[i] > 0 || (v[i] == 0 && bit(zero_coins(coins, (part.begin + i) / 64), i));
        if (plus) signs[part.at + i / 64] |= uint64_t{1} << i % 64;
        v[i] -= plus ? scale : -scale;
      }
    });
  }
  join_slices(world, signs, ballot.bits());
  return out;
}

}  // namespace signstep
