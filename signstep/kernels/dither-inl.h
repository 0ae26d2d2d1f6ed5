// SPDX-License-Identifier: Apache-2.0
// The draw of dither_draw.h in vectors, for inclusion by per-target sources.
#if defined(SIGNSTEP_KERNELS_DITHER_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SIGNSTEP_KERNELS_DITHER_INL_H_
#undef SIGNSTEP_KERNELS_DITHER_INL_H_
#else
#define SIGNSTEP_KERNELS_DITHER_INL_H_
#endif

#include <hwy/highway.h>

#include <bit>
#include <limits>

#include "signstep/kernels/dither_draw.h"
#include "signstep/kernels/vector_sums-inl.h"

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

// The mean of a Gaussian dither's sign, gaussian_mean in vectors, rounded to float.
HWY_INLINE VF gaussian_means(VF u, VF sigma) {
  const DF d;
  const DD dd;
  const hn::Half<DF> half;
  const auto of = [&](VD wide_u, VD wide_sigma) {
    const VD z = hn::Div(wide_u, wide_sigma), end = hn::Set(dd, kCdfEnd);
    const VD t = hn::Sub(hn::Mul(hn::Mul(z, z), hn::Set(dd, kCdfScale)), hn::Set(dd, 1.0));
    VD p = hn::Set(dd, kCdf[kCdfTerms - 1]);
    for (int k = kCdfTerms - 2; k >= 0; --k) p = hn::Add(hn::Mul(p, t), hn::Set(dd, kCdf[k]));
    const VD mean = hn::Mul(hn::Set(dd, 2.0), hn::Mul(z, p));
    return hn::DemoteTo(half, hn::IfThenElse(hn::Lt(hn::Abs(z), end), mean, hn::CopySign(hn::Set(dd, 1.0), z)));
  };
  const auto low = of(hn::PromoteTo(dd, hn::LowerHalf(half, u)), hn::PromoteTo(dd, hn::LowerHalf(half, sigma)));
  const auto high = of(hn::PromoteTo(dd, hn::UpperHalf(half, u)), hn::PromoteTo(dd, hn::UpperHalf(half, sigma)));
  return hn::Combine(d, high, low);
}

HWY_INLINE VF uniform_means(VF u, VF sigma) {
  const VF one = hn::Set(DF(), 1.0f);
  return hn::Min(hn::Max(hn::Div(u, sigma), hn::Neg(one)), one);
}

// Signs of u[0 .. kN) at element i, +-1, for noise of scale sigma, one for each element, all above 0.
struct LawDraw {
  bool uniform;
  Stream refinement;

  HWY_INLINE VF draw(size_t i, const int16_t* halfwords, VF u, VF sigma) const {
    const DF d;
    const hn::RebindToSigned<DF> di;
    const hn::Rebind<int16_t, DF> d16;
    const VF h = hn::ConvertTo(d, hn::PromoteTo(di, hn::Load(d16, halfwords)));
    const VF end = hn::Set(d, uniform ? 1.0f : kFilterEnd);
    const VF z = hn::Max(hn::Neg(end), hn::Min(hn::Div(u, sigma), end));
    VF filter = hn::Set(d, 0x1p15f);
    if (!uniform) {
      const VF z2 = hn::Mul(z, z);
      filter = hn::Set(d, kFilter[6]);
      for (int c = 5; c >= 0; --c) filter = hn::MulAdd(filter, z2, hn::Set(d, kFilter[c]));
    }
    const VF decided = hn::MulSub(z, filter, h);
    const MF open = hn::Lt(hn::Abs(decided), hn::Set(d, uniform ? kUniformMargin : kFilterMargin));
    const VF signs = HWY_LIKELY(hn::AllFalse(d, open)) ? decided : exactly(i, halfwords, u, sigma, decided, open);
    return hn::CopySignToAbs(hn::Set(d, 1.0f), signs);
  }

 private:
  HWY_NOINLINE VF exactly(size_t i, const int16_t* halfwords, VF u, VF sigma, VF decided, MF open) const {
    const DF d;
    HWY_ALIGN float us[kN], sigmas[kN], signs[kN];
    hn::Store(u, d, us);
    hn::Store(sigma, d, sigmas);
    hn::Store(decided, d, signs);
    for (uint64_t bits = bits_of(open); bits != 0; bits &= bits - 1) {
      const int k = std::countr_zero(bits);
      const uint32_t w = refinement.word(i + k);
      const bool plus = uniform ? uniform_is_plus(us[k], sigmas[k], halfwords[k], w)
                                : dither_is_plus(us[k], sigmas[k], halfwords[k], w);
      signs[k] = plus ? 1.0f : -1.0f;
    }
    return hn::Load(d, signs);
  }
};

}  // namespace HWY_NAMESPACE
}  // namespace signstep
HWY_AFTER_NAMESPACE();

#endif  // a vector target
#endif  // per-target include guard
