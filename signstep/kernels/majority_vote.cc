// SPDX-License-Identifier: Apache-2.0
// The vote with bit-sliced adders: plane p of a counter holds bit p of as many counts as a vector has bits. Eight votes
// at a time go through a tree of full adders (carry-save: Harley and Seal), so that planes above the third move once in
// eight votes. The reference counts bit by bit instead, and shares nothing with this.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "signstep/kernels/majority_vote.cc"
#include <hwy/foreach_target.h>
// foreach_target.h must come first
#include <hwy/highway.h>

#include "signstep/kernels/vote_block.h"
#include "signstep/random/philox-inl.h"

HWY_BEFORE_NAMESPACE();
namespace signstep {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET != HWY_SCALAR && !HWY_HAVE_SCALABLE

constexpr size_t kCoinWords = kBatchWords / 2;  // 64-bit words of one Philox batch

// The kLowPlanes + kHigh planes of one vector of counts; how many is known to the compiler, so that they stay in
// registers. D may have a single lane: the words at an end are counted by the same code.
template <class D, size_t kHigh>
class BitCounter {
  using V = hn::Vec<D>;

 public:
  HWY_INLINE BitCounter(const VoteBlock& block, size_t word) : b_(block), first_(block.votes + word) {
    for (size_t p = 0; p < kLowPlanes; ++p) low_[p] = start(p);
    for (size_t p = 0; p < kHigh; ++p) high_[p] = start(kLowPlanes + p);
    size_t k = 0;
    for (; k + 8 <= b_.workers; k += 8) join<3>(k);
    if (b_.workers - k >= 4) join<2>(k), k += 4;
    if (b_.workers - k >= 2) join<1>(k), k += 2;
    if (b_.workers - k >= 1) join<0>(k);
  }

  HWY_INLINE V reached() const { return high_[kHigh - 1]; }
  HWY_INLINE V tied() const {
    V below = hn::And(hn::And(low_[0], low_[1]), low_[2]);
    for (size_t p = 0; p + 1 < kHigh; ++p) below = hn::And(below, high_[p]);
    return hn::AndNot(reached(), below);
  }

 private:
  HWY_INLINE V start(size_t p) const { return hn::Set(D(), b_.bias >> p & 1 ? ~uint64_t{0} : uint64_t{0}); }

  // What 2^kLevel votes from worker k on carry into plane kLevel, after the planes below took their share.
  template <size_t kLevel>
  HWY_INLINE V carry_of(size_t k) {
    if constexpr (kLevel == 0) {
      return hn::LoadU(D(), first_ + k * b_.stride);
    } else {
      const V a = carry_of<kLevel - 1>(k), b = carry_of<kLevel - 1>(k + (size_t{1} << (kLevel - 1)));
      V& sum = low_[kLevel - 1];
      const V differ = hn::Xor(sum, a), carry = hn::OrAnd(hn::And(sum, a), differ, b);
      sum = hn::Xor(differ, b);
      return carry;
    }
  }

  template <size_t kLevel>
  HWY_INLINE void join(size_t k) {
    V carry = carry_of<kLevel>(k);
    if constexpr (kLevel <= 0) carry = half_add(low_[0], carry);
    if constexpr (kLevel <= 1) carry = half_add(low_[1], carry);
    if constexpr (kLevel <= 2) carry = half_add(low_[2], carry);
    for (size_t p = 0; p < kHigh; ++p) carry = half_add(high_[p], carry);
  }

  static HWY_INLINE V half_add(V& sum, V a) {
    const V carry = hn::And(sum, a);
    sum = hn::Xor(sum, a);
    return carry;
  }

  const VoteBlock& b_;
  const uint64_t* const first_;
  V low_[kLowPlanes], high_[kHigh];
};

// coins: those of the words from `word` on, where ties want them.
template <size_t kHigh, class D>
HWY_INLINE void count(D d, const VoteBlock& b, size_t word, const uint32_t* coins) {
  const BitCounter<D, kHigh> counter(b, word);
  auto plus = counter.reached();
  if (coins != nullptr) {
    const auto coin = hn::BitCast(d, hn::LoadU(hn::Repartition<uint32_t, D>(), coins));
    plus = hn::OrAnd(plus, counter.tied(), coin);
  }
  hn::StoreU(plus, d, b.majority + word);
}

// Words [begin, end), in runs that one batch of coins serves.
template <size_t kHigh>
void count_votes(const VoteBlock& b, size_t begin, size_t end) {
  const hn::ScalableTag<uint64_t> d;
  const hn::CappedTag<uint64_t, 1> one;
  constexpr size_t kLanes = HWY_LANES(uint64_t);
  HWY_ALIGN uint32_t batch[kBatchWords];
  for (size_t word = begin; word < end;) {
    const uint64_t in_message = b.first_word + word;
    const auto offset = static_cast<size_t>(in_message % kCoinWords);
    if (b.ties_by_coin) philox_batch(b.coins, static_cast<uint32_t>((in_message - offset) / 2), batch);
    const size_t run_end = HWY_MIN(end, word + kCoinWords - offset);
    const uint32_t* coins = b.ties_by_coin ? batch + 2 * offset : nullptr;
    const auto advance = [&](size_t words) {
      word += words;
      if (coins != nullptr) coins += 2 * words;
    };
    while (word + kLanes <= run_end) {
      count<kHigh>(d, b, word, coins);
      advance(kLanes);
    }
    while (word < run_end) {
      count<kHigh>(one, b, word, coins);
      advance(1);
    }
  }
}

void CountVotes(const VoteBlock& b, size_t begin, size_t end) {
  switch (b.top - kLowPlanes + 1) {
    case kHighPlanes[0]: return count_votes<kHighPlanes[0]>(b, begin, end);
    case kHighPlanes[1]: return count_votes<kHighPlanes[1]>(b, begin, end);
    case kHighPlanes[2]: return count_votes<kHighPlanes[2]>(b, begin, end);
    default: return count_votes<kHighPlanes[3]>(b, begin, end);
  }
}

#else

void CountVotes(const VoteBlock& b, size_t begin, size_t end) { count_votes_ref(b, begin, end); }

#endif

}  // namespace HWY_NAMESPACE
}  // namespace signstep
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <cassert>

#include "signstep/parallel/pieces.h"

namespace signstep {
HWY_EXPORT(CountVotes);

void majority_of(std::span<const uint64_t> votes, size_t workers, const VoteTies& ties, std::span<uint64_t> majority,
                 Executor& executor) {
  assert(votes.size() == workers * majority.size());
  const VoteBlock block(votes, workers, ties, majority);
  const auto run = HWY_DYNAMIC_DISPATCH(CountVotes);
  for_each_piece(64 * majority.size(), executor, [&](size_t begin, size_t end) { run(block, begin / 64, end / 64); });
}

}  // namespace signstep
#endif
