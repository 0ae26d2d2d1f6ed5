// SPDX-License-Identifier: Apache-2.0
// normal_pair of normal.h in vectors: the same operations in the same order, for inclusion by per-target sources.
#if defined(SIGNSTEP_RANDOM_NORMAL_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SIGNSTEP_RANDOM_NORMAL_INL_H_
#undef SIGNSTEP_RANDOM_NORMAL_INL_H_
#else
#define SIGNSTEP_RANDOM_NORMAL_INL_H_
#endif

#include "signstep/random/normal_constants.h"
#include "signstep/random/philox-inl.h"

#if HWY_TARGET != HWY_SCALAR && !HWY_HAVE_SCALABLE

HWY_BEFORE_NAMESPACE();
namespace signstep {
namespace HWY_NAMESPACE {

inline constexpr size_t kNormalBatch = kBatchWords;

// xi[0 .. 64) = the numbers of elements first .. first + 63; first is a multiple of 64, xi is aligned to a vector.
HWY_INLINE void normal_batch(const Stream& stream, uint64_t first, float* HWY_RESTRICT xi) {
  const hn::CappedTag<float, 16> df;
  const hn::RebindToSigned<decltype(df)> di;
  const hn::RebindToUnsigned<decltype(df)> du;
  constexpr size_t kLanes = HWY_MIN(HWY_LANES(float), 16);
  HWY_ALIGN uint32_t words[kBatchWords];
  philox_batch(stream, static_cast<uint32_t>(first / 4), words);

  const auto one = hn::Set(df, 1.0f), half = hn::Set(df, 0.5f);
  const auto sqrt_half = hn::Set(di, kSqrtHalfBits);
  for (size_t run = 0; run < kBatchWords; run += 32) {
    for (size_t i = run; i < run + 16; i += kLanes) {
      const auto radius_word = hn::Load(du, words + i), angle_word = hn::Load(du, words + i + 16);

      const auto k = hn::ConvertTo(df, hn::Add(hn::BitCast(di, hn::ShiftRight<8>(radius_word)), hn::Set(di, 1)));
      const auto shifted = hn::Sub(hn::BitCast(di, k), sqrt_half);
      const auto e = hn::ConvertTo(df, hn::Sub(hn::ShiftRight<23>(shifted), hn::Set(di, 24)));
      const auto mantissa = hn::Add(hn::And(shifted, hn::Set(di, 0x7FFFFF)), sqrt_half);
      const auto f = hn::Sub(hn::BitCast(df, mantissa), one);
      auto p = hn::Set(df, kLog[kLogTerms - 1]);
      HWY_UNROLL(8)
      for (int j = kLogTerms - 2; j >= 0; --j) p = hn::Add(hn::Mul(p, f), hn::Set(df, kLog[j]));
      const auto rest = hn::Add(hn::Mul(hn::Mul(f, f), p), hn::Mul(e, hn::Set(df, kLn2Low)));
      const auto log = hn::Add(hn::Mul(e, hn::Set(df, kLn2High)), hn::Add(f, rest));
      const auto radius = hn::Sqrt(hn::Mul(hn::Set(df, -2.0f), log));

      const auto quarter = hn::ShiftRight<30>(hn::Add(angle_word, hn::Set(du, 0x20000000u)));
      const auto units = hn::BitCast(di, hn::Sub(angle_word, hn::ShiftLeft<30>(quarter)));
      const auto a = hn::Mul(hn::ConvertTo(df, units), hn::Set(df, kRadiansPerUnit));
      const auto a2 = hn::Mul(a, a);
      auto sine = hn::Add(hn::Mul(hn::Set(df, kSine[2]), a2), hn::Set(df, kSine[1]));
      sine = hn::Add(hn::Mul(sine, a2), hn::Set(df, kSine[0]));
      sine = hn::Add(a, hn::Mul(hn::Mul(a, a2), sine));
      auto cosine = hn::Add(hn::Mul(hn::Set(df, kCosine[2]), a2), hn::Set(df, kCosine[1]));
      cosine = hn::Add(hn::Mul(cosine, a2), hn::Set(df, kCosine[0]));
      cosine = hn::Add(hn::Sub(one, hn::Mul(half, a2)), hn::Mul(hn::Mul(a2, a2), cosine));

      const auto bit = hn::Set(du, 1);
      const auto swap = hn::RebindMask(df, hn::Eq(hn::And(quarter, bit), bit));
      const auto minus_cosine = hn::ShiftLeft<31>(hn::ShiftRight<1>(hn::Add(quarter, bit)));
      const auto minus_sine = hn::ShiftLeft<31>(hn::ShiftRight<1>(quarter));
      const auto c = hn::Mul(radius, cosine), s = hn::Mul(radius, sine);
      hn::Store(hn::Xor(hn::IfThenElse(swap, s, c), hn::BitCast(df, minus_cosine)), df, xi + i);
      hn::Store(hn::Xor(hn::IfThenElse(swap, c, s), hn::BitCast(df, minus_sine)), df, xi + i + 16);
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace signstep
HWY_AFTER_NAMESPACE();

#endif  // a vector target
#endif  // per-target include guard
