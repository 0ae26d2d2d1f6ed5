// SPDX-License-Identifier: Apache-2.0
// The parts of the sign step in vectors, for inclusion by per-target sources: load and average, sign, sums, store.
#if defined(SIGNSTEP_KERNELS_SIGN_PARTS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SIGNSTEP_KERNELS_SIGN_PARTS_INL_H_
#undef SIGNSTEP_KERNELS_SIGN_PARTS_INL_H_
#else
#define SIGNSTEP_KERNELS_SIGN_PARTS_INL_H_
#endif

#include <hwy/highway.h>

#include "signstep/kernels/dither-inl.h"
#include "signstep/kernels/prefetch.h"
#include "signstep/kernels/sign_block.h"
#include "signstep/kernels/vector_sums-inl.h"
#include "signstep/kernels/zero_coins.h"
#include "signstep/random/normal-inl.h"
#include "signstep/random/philox-inl.h"

#if HWY_TARGET != HWY_SCALAR && !HWY_HAVE_SCALABLE

HWY_BEFORE_NAMESPACE();
namespace signstep {
namespace HWY_NAMESPACE {

constexpr size_t kChunk = 2 * kBatchWords;           // elements served by one Philox batch of 16-bit draws
constexpr size_t kVectors = HWY_MAX(2, kUnit / kN);  // that one turn of the loop takes
constexpr size_t kTurn = kVectors * kN;              // elements: 32 for AVX-512, else 16
constexpr size_t kUnitVectors = kUnit / kN;          // vectors that go once through all lanes of the sums

// The moving averages: none, one that is both u and m', two; and those with the SGD term, where it is decided in the
// loop.
enum class Moving { kNone, kOne, kTwo, kBlend };
enum class Sums { kNone, kSquare, kAll, kMeasure };

// Random numbers of up to kChunk elements.
struct Chunk {
  HWY_ALIGN int16_t halfwords[kChunk];
  HWY_ALIGN float xi[kChunk];
};

// The zero coins of elements i .. i + kN - 1 as signs.
HWY_NOINLINE VF coin_signs(const SignBlock& b, size_t i) {
  HWY_ALIGN float signs[kN];
  const uint64_t bits = zero_coins(b.coins, i / 64) >> (i % 64);  // i is a multiple of kN, so they share a word
  for (size_t k = 0; k < kN; ++k) signs[k] = bits >> k & 1 ? 1.0f : -1.0f;
  return hn::Load(DF(), signs);
}

// The sign of u without a dither.
HWY_INLINE VF plain_signs(const SignBlock& b, ZeroPolicy policy, size_t i, VF u) {
  const DF d;
  const VF one = hn::Set(d, 1.0f);
  const MF is_zero = hn::Eq(u, hn::Zero(d));
  const VF s = hn::IfThenZeroElse(is_zero, hn::CopySignToAbs(one, u));
  if (policy == ZeroPolicy::kSkip || hn::AllFalse(d, is_zero)) return s;
  return hn::IfThenElse(is_zero, policy == ZeroPolicy::kPlus ? one : coin_signs(b, i), s);
}

// A step's signs under Noise::kLaw; where the scale is 0 they are plain.
HWY_INLINE VF law_signs(const SignBlock& b, const LawDraw& law, size_t i, const int16_t* halfwords, VF u, VF sigma) {
  const DF d;
  const MF bare = hn::Eq(sigma, hn::Zero(d));
  const VF scale = hn::IfThenElse(bare, hn::Set(d, 1.0f), sigma);
  const VF s = !b.mean     ? law.draw(i, halfwords, u, scale)
               : b.uniform ? uniform_means(u, scale)
                           : gaussian_means(u, scale);
  return HWY_LIKELY(hn::AllFalse(d, bare)) ? s : hn::IfThenElse(bare, plain_signs(b, b.zero, i, u), s);
}

// The tensor's maximum with |u| taken in, stored where u is finite, and the scale of the dither that it means.
HWY_INLINE VF scale_by_maximum(float* maximum, VF u, MF finite, VF sigma) {
  const DF d;
  const VF old = hn::LoadU(d, maximum), size = hn::Abs(u);
  // No hn::Max: a maximum that is NaN stays one.
  const VF now = hn::IfThenElse(hn::And(finite, hn::Lt(old, size)), size, old);
  hn::StoreU(now, d, maximum);
  return hn::Mul(sigma, now);
}

// kTurn elements between their buffers' old and new values.
struct Turn {
  VF g[kVectors], u[kVectors], m[kVectors], old_m[kVectors], s[kVectors];
  MF finite[kVectors];
  bool all_finite;
};

struct BlockSums {
  HWY_INLINE BlockSums() {}  // a constructor that the compiler writes has no target
  VectorSums s_dot_v, v_dot_v, u_dot_u;
  uint64_t nonzero = 0, nonfinite = 0;
};

// The parts of the step, in order. What may be called rather than inlined (dither, law, random) is no member: its
// address would escape, and the compiler would have to load every other member again after each store to x or m.
template <Moving kMoving, Noise kNoise, Sums kSums>
class SignParts {
 public:
  HWY_INLINE explicit SignParts(const SignBlock& block)
      : b_(block),
        x_(block.x),
        m_(block.m),
        g_(block.g),
        maximum_(block.maximum),
        zero_(block.zero),
        has_m_(kMoving == Moving::kBlend ? block.m != nullptr : kMoving != Moving::kNone),
        one_average_(kMoving == Moving::kBlend ? block.b1 == block.b2 : kMoving != Moving::kTwo),
        square_of_gradient_(block.square_of_gradient),
        v_is_momentum_(block.v_is_momentum),
        along_gradient_(block.sgd_along_gradient),
        b1_(set(block.b1)),
        a1_(set(block.a1)),
        b2_(set(block.b2)),
        a2_(set(block.a2)),
        lr_(set(block.lr)),
        decay_factor_(set(block.decay_factor)),
        rate_(set(block.sgd_rate)),
        sigma_(set(block.sigma)) {}

  HWY_INLINE void prefetch(size_t i) const {
    prefetch_ahead<kTurn>(g_ + i);
    if constexpr (kSums != Sums::kMeasure) prefetch_ahead<kTurn>(x_ + i);
    if (has_m_) prefetch_ahead<kTurn>(m_ + i);
  }

  // g, u and m' of the elements from i on, and which of them are finite. xi: their normal draws.
  HWY_INLINE void load_and_average(size_t i, const float* xi, Turn& t) const {
    // One decision a turn: a choice for each vector would stand in the middle of the arithmetic.
    if (!has_m_)
      load<Moving::kNone>(i, xi, t);
    else if (one_average_)
      load<Moving::kOne>(i, xi, t);
    else
      load<Moving::kTwo>(i, xi, t);
  }

  HWY_INLINE void count_nonfinite(const Turn& t, BlockSums& block) const {
    if (HWY_LIKELY(t.all_finite)) return;
    for (size_t k = 0; k < kVectors; ++k) block.nonfinite += kN - hn::CountTrue(DF(), t.finite[k]);
  }

  HWY_INLINE void add_squares(const Turn& t, BlockSums& block) const {
    if constexpr (!kSquare) return;
    square_of_gradient_ ? squares_of(t.g, t, block) : squares_of(t.u, t, block);
  }

  // Of vector k, whose first element is at. s holds what a draw of several vectors found, if that was how.
  HWY_INLINE VF sign(const Turn& t, size_t k, size_t at, const LawDraw& law, const int16_t* halfwords) const {
    VF scale = sigma_;
    if (kNoise != Noise::kBernoulli && maximum_ != nullptr)
      scale = scale_by_maximum(maximum_ + at, t.u[k], t.finite[k], sigma_);
    if constexpr (kNoise == Noise::kBernoulli) return hn::CopySignToAbs(set(1.0f), t.s[k]);
    if constexpr (kNoise == Noise::kLaw) return law_signs(b_, law, at, halfwords, t.u[k], scale);
    return plain_signs(b_, zero_, at, t.u[k]);
  }

  HWY_INLINE void add_products(const Turn& t, size_t k, BlockSums& block) const {
    if constexpr (kSums != Sums::kAll) return;
    VF v = v_is_momentum_ ? t.m[k] : t.g[k], s = t.s[k];
    if (HWY_UNLIKELY(!t.all_finite)) {
      v = hn::IfThenElseZero(t.finite[k], v);
      s = hn::IfThenElseZero(t.finite[k], s);
    }
    block.nonzero += hn::CountTrue(DF(), hn::Ne(s, hn::Zero(DF())));
    if constexpr (kNoise == Noise::kLaw) {
      block.s_dot_v.add_products(k % kUnitVectors, s, v);
    } else {
      block.s_dot_v.add(k % kUnitVectors, hn::Mul(s, v));  // exact, s being -1, 0 or 1
    }
    block.v_dot_v.add_products(k % kUnitVectors, v, v);
  }

  // x and m of vector k. xi: its normal draws.
  HWY_INLINE void store(const Turn& t, size_t k, size_t at, const float* xi) const {
    const DF d;
    VF s = t.s[k], m = t.m[k];
    if constexpr (kNoise == Noise::kPost) s = hn::Add(s, hn::Mul(sigma_, hn::Load(d, xi)));
    const VF old_x = hn::LoadU(d, x_ + at);
    // s is +-1 where it was drawn: then lr s needs no multiplication.
    const VF step = kNoise == Noise::kBernoulli ? hn::CopySignToAbs(lr_, s) : hn::Mul(lr_, s);
    VF x = hn::Sub(hn::Mul(decay_factor_, old_x), step);
    if constexpr (kMoving == Moving::kBlend) x = hn::Sub(x, hn::Mul(rate_, along_gradient_ ? t.g[k] : m));
    if (HWY_UNLIKELY(!t.all_finite)) {
      x = hn::IfThenElse(t.finite[k], x, old_x);
      m = hn::IfThenElse(t.finite[k], m, t.old_m[k]);
    }
    hn::StoreU(x, d, x_ + at);
    if (has_m_) hn::StoreU(m, d, m_ + at);
  }

  HWY_INLINE void close(const BlockSums& block, SignSums& sums) const {
    sums.nonzero = block.nonzero;
    sums.nonfinite = block.nonfinite;
    block.s_dot_v.store(sums.s_dot_v);
    block.v_dot_v.store(sums.v_dot_v);
    kSquare ? block.u_dot_u.store(sums.u_dot_u) : block.v_dot_v.store(sums.u_dot_u);
  }

 private:
  // Without a moving average u, v and g are one thing, and their squares are summed once.
  static constexpr bool kSquare = kSums != Sums::kNone && !(kSums == Sums::kAll && kMoving == Moving::kNone);

  template <Moving kAverages>
  HWY_INLINE void load(size_t i, const float* xi, Turn& t) const {
    const DF d;
    for (size_t k = 0; k < kVectors; ++k) {
      t.old_m[k] = t.m[k] = t.u[k] = t.g[k] = hn::LoadU(d, g_ + i + k * kN);
      if constexpr (kAverages != Moving::kNone) {
        VF noisy = t.g[k];
        if constexpr (kNoise == Noise::kGradient) noisy = hn::Add(noisy, hn::Mul(sigma_, hn::Load(d, xi + k * kN)));
        t.old_m[k] = hn::LoadU(d, m_ + i + k * kN);
        t.m[k] = t.u[k] = hn::Add(hn::Mul(b1_, t.old_m[k]), hn::Mul(a1_, noisy));
        if constexpr (kAverages == Moving::kTwo) t.m[k] = hn::Add(hn::Mul(b2_, t.old_m[k]), hn::Mul(a2_, noisy));
      }
      t.finite[k] = hn::IsFinite(t.u[k]);
      if constexpr (kAverages == Moving::kTwo) t.finite[k] = hn::And(t.finite[k], hn::IsFinite(t.m[k]));
    }
    MF every = t.finite[0];
    for (size_t k = 1; k < kVectors; ++k) every = hn::And(every, t.finite[k]);
    t.all_finite = hn::AllTrue(d, every);
  }

  static HWY_INLINE void squares_of(const VF* values, const Turn& t, BlockSums& block) {
    for (size_t k = 0; k < kVectors; ++k) {
      VF r = values[k];
      if (HWY_UNLIKELY(!t.all_finite)) r = hn::IfThenElseZero(t.finite[k], r);
      block.u_dot_u.add_products(k % kUnitVectors, r, r);
    }
  }

  static HWY_INLINE VF set(float value) { return hn::Set(DF(), value); }
  const SignBlock& b_;
  float* const x_;
  float* const m_;
  const float* const g_;
  float* const maximum_;
  const ZeroPolicy zero_;
  const bool has_m_;
  const bool one_average_;  // then u and m' are one number
  const bool square_of_gradient_, v_is_momentum_, along_gradient_;
  const VF b1_, a1_, b2_, a2_, lr_, decay_factor_, rate_, sigma_;
};

// The random numbers of the chunk that starts there.
template <Noise kNoise>
HWY_INLINE void draw_chunk(const SignBlock& b, const Stream& draws, const Stream& gaussian, size_t chunk,
                           Chunk& random) {
  if (kNoise == Noise::kBernoulli || (kNoise == Noise::kLaw && !b.mean)) {
    philox_batch(draws, static_cast<uint32_t>(chunk / 8), reinterpret_cast<uint32_t*>(random.halfwords));
  } else if constexpr (kNoise == Noise::kGradient || kNoise == Noise::kPost) {
    normal_batch(gaussian, chunk, random.xi);
    normal_batch(gaussian, chunk + kNormalBatch, random.xi + kNormalBatch);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace signstep
HWY_AFTER_NAMESPACE();

#endif  // a vector target
#endif  // per-target include guard
