// SPDX-License-Identifier: Apache-2.0
// Philox4x32-10 in vectors, for inclusion by per-target sources (hwy/foreach_target.h).
#if defined(SIGNSTEP_RANDOM_PHILOX_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SIGNSTEP_RANDOM_PHILOX_INL_H_
#undef SIGNSTEP_RANDOM_PHILOX_INL_H_
#else
#define SIGNSTEP_RANDOM_PHILOX_INL_H_
#endif

#include <hwy/highway.h>

#include "signstep/random/random.h"

// Targets without a vector length known to the compiler, and the scalar one, run the reference.
#if HWY_TARGET != HWY_SCALAR && !HWY_HAVE_SCALABLE

HWY_BEFORE_NAMESPACE();
namespace signstep {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

inline constexpr size_t kBatchGroups = 16;
inline constexpr size_t kBatchWords = 4 * kBatchGroups;

// words[0 .. 64) = groups first .. first + 15 of the stream, in order; words is aligned to a vector.
//
// Each 64-bit lane holds one group; only its low halves matter, because MulEven ignores the high ones, so a round is
// two multiplications, two shifts and two three-way xors for the four words of every lane.
HWY_INLINE void philox_batch(const Stream& stream, uint32_t first, uint32_t* HWY_RESTRICT words) {
  const hn::ScalableTag<uint64_t> d64;
  const hn::Repartition<uint32_t, decltype(d64)> d32;
  constexpr size_t kGroups = HWY_LANES(uint64_t);
  // Lane l starts with group l / 2, or half a vector further when l is odd: then the final interleaving sorts them.
  HWY_ALIGN uint64_t order[kGroups];
  for (size_t l = 0; l < kGroups; ++l) order[l] = l / 2 + l % 2 * (kGroups / 2);

  const auto mul0 = hn::Set(d32, kPhiloxMul0), mul1 = hn::Set(d32, kPhiloxMul1);
  for (size_t g = 0; g < kBatchGroups; g += kGroups) {
    auto x0 = hn::Add(hn::Load(d64, order), hn::Set(d64, first + g));
    auto x1 = hn::Set(d64, stream.counter()[1]);
    auto x2 = hn::Set(d64, stream.counter()[2]);
    auto x3 = hn::Set(d64, stream.counter()[3]);
    uint32_t k0 = stream.key()[0], k1 = stream.key()[1];
    HWY_UNROLL(10)
    for (int round = 0; round < kPhiloxRounds; ++round, k0 += kPhiloxWeyl0, k1 += kPhiloxWeyl1) {
      const auto p0 = hn::MulEven(hn::BitCast(d32, x0), mul0);
      const auto p1 = hn::MulEven(hn::BitCast(d32, x2), mul1);
      x0 = hn::Xor3(hn::ShiftRight<32>(p1), x1, hn::Set(d64, k0));
      x2 = hn::Xor3(hn::ShiftRight<32>(p0), x3, hn::Set(d64, k1));
      x1 = p1;
      x3 = p0;
    }
    const auto low = hn::OddEven(hn::BitCast(d32, hn::ShiftLeft<32>(x1)), hn::BitCast(d32, x0));   // words 0 and 1
    const auto high = hn::OddEven(hn::BitCast(d32, hn::ShiftLeft<32>(x3)), hn::BitCast(d32, x2));  // words 2 and 3
    const auto low64 = hn::BitCast(d64, low), high64 = hn::BitCast(d64, high);
    hn::Store(hn::BitCast(d32, hn::InterleaveLower(d64, low64, high64)), d32, words + 4 * g);
    hn::Store(hn::BitCast(d32, hn::InterleaveUpper(d64, low64, high64)), d32, words + 4 * g + 2 * kGroups);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace signstep
HWY_AFTER_NAMESPACE();

#endif  // a vector target
#endif  // per-target include guard
