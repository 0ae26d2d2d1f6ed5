// SPDX-License-Identifier: Apache-2.0
// The draw of dither_draw.h in vectors, for inclusion by per-target sources.
#if defined(SIGNSTEP_CORE_DITHER_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SIGNSTEP_CORE_DITHER_INL_H_
#undef SIGNSTEP_CORE_DITHER_INL_H_
#else
#define SIGNSTEP_CORE_DITHER_INL_H_
#endif

#include <hwy/highway.h>

#include <bit>
#include <limits>

#include "signstep/core/dither_draw.h"
#include "signstep/core/vector_sums-inl.h"

#if HWY_TARGET != HWY_SCALAR && !HWY_HAVE_SCALABLE

HWY_BEFORE_NAMESPACE();
namespace signstep {
namespace HWY_NAMESPACE {

inline uint64_t bits_of(MF mask) {
  HWY_ALIGN uint8_t bytes[8] = {};
  hn::StoreMaskBits(DF(), mask, bytes);
  uint64_t bits;
  hwy::CopyBytes<8>(bytes, &bits);
  return bits;
}

struct DitherDraw {
  DitherDraw(float sigma_in, const Stream& refinement_in) : sigma(sigma_in), refinement(refinement_in) {
    // Where 1 / sigma is no normal number the filter knows nothing.
    const bool filter = sigma >= 0x1p-126f;
    inverse_sigma = hn::Set(DF(), filter ? 1.0f / sigma : 0.0f);
    margin = hn::Set(DF(), filter ? kFilterMargin : std::numeric_limits<float>::infinity());
  }

  // signs[k] = a vector whose sign bits are the dithered signs of u[k], the elements from i + k kN on. Several vectors
  // at a time, because one polynomial alone leaves the processor waiting for its last result.
  template <size_t kVectors>
  HWY_INLINE void draw(size_t i, const int16_t* halfwords, const VF* u, VF* signs) const {
    const DF d;
    const hn::RebindToSigned<DF> di;
    const hn::Rebind<int16_t, DF> d16;
    const VF end = hn::Set(d, kFilterEnd);
    VF z[kVectors], z2[kVectors], q[kVectors];
    for (size_t k = 0; k < kVectors; ++k) {
      z[k] = hn::Max(hn::Neg(end), hn::Min(hn::Mul(u[k], inverse_sigma), end));
      z2[k] = hn::Mul(z[k], z[k]);
      q[k] = hn::Set(d, kFilter[6]);
    }
    // Fused or not by target: the filter chooses the way to the draw, never the draw.
    HWY_UNROLL(6)
    for (int c = 5; c >= 0; --c) {
      for (size_t k = 0; k < kVectors; ++k) q[k] = hn::MulAdd(q[k], z2[k], hn::Set(d, kFilter[c]));
    }
    MF open[kVectors];
    for (size_t k = 0; k < kVectors; ++k) {
      const VF h = hn::ConvertTo(d, hn::PromoteTo(di, hn::Load(d16, halfwords + k * kN)));
      signs[k] = hn::MulSub(z[k], q[k], h);
      open[k] = hn::Lt(hn::Abs(signs[k]), margin);
    }
    MF any_open = open[0];
    for (size_t k = 1; k < kVectors; ++k) any_open = hn::Or(any_open, open[k]);
    if (HWY_LIKELY(hn::AllFalse(d, any_open))) return;
    for (size_t k = 0; k < kVectors; ++k) signs[k] = exactly(i + k * kN, halfwords + k * kN, u[k], signs[k], open[k]);
  }

 private:
  // The definition, for the elements of `open`; the others keep what they have.
  HWY_NOINLINE VF exactly(size_t i, const int16_t* halfwords, VF u, VF decided, MF open) const {
    const DF d;
    HWY_ALIGN float us[kN], signs[kN];
    hn::Store(u, d, us);
    hn::Store(decided, d, signs);
    for (uint64_t bits = bits_of(open); bits != 0; bits &= bits - 1) {
      const int k = std::countr_zero(bits);
      signs[k] = dither_is_plus(us[k], sigma, halfwords[k], refinement.word(i + k)) ? 1.0f : -1.0f;
    }
    return hn::Load(d, signs);
  }

  float sigma;
  Stream refinement;
  VF inverse_sigma, margin;
};

}  // namespace HWY_NAMESPACE
}  // namespace signstep
HWY_AFTER_NAMESPACE();

#endif  // a vector target
#endif  // per-target include guard
