// SPDX-License-Identifier: Apache-2.0
// The vector form of sign_kernel_ref.cc. Every operation on x, m and the sums is the reference's, in its order; what
// differs is only how a dithered sign is found (dither_draw.h) and that rare cases are kept out of the main path.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "signstep/core/sign_kernel.cc"
#include <hwy/foreach_target.h>
// foreach_target.h must come first
#include <hwy/highway.h>

#include "signstep/core/normal-inl.h"
#include "signstep/core/partials.h"
#include "signstep/core/philox-inl.h"
#include "signstep/core/sign_block.h"
#include "signstep/core/vector_sums-inl.h"

HWY_BEFORE_NAMESPACE();
namespace signstep {
namespace HWY_NAMESPACE {

#if HWY_TARGET != HWY_SCALAR && !HWY_HAVE_SCALABLE

constexpr size_t kChunk = 2 * kBatchWords;  // elements served by one Philox batch of 16-bit draws

enum class Moving { kNone, kAverage, kBlend };  // no m; with m; with the SGD term, with or without m
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

// The definition of the draw, for the elements of `todo`; the others keep what they have.
HWY_NOINLINE VF draw_exactly(const SignBlock& b, size_t i, const int16_t* halfwords, VF u, VF decided, MF todo) {
  const DF d;
  HWY_ALIGN float us[kN], signs[kN];
  HWY_ALIGN uint8_t bits[8] = {};
  hn::Store(u, d, us);
  hn::Store(decided, d, signs);
  hn::StoreMaskBits(d, todo, bits);
  for (size_t k = 0; k < kN; ++k)
    if (bits[k / 8] >> (k % 8) & 1)
      signs[k] = dither_is_plus(us[k], b.sigma, halfwords[k], b.refinement.word(i + k)) ? 1.0f : -1.0f;
  return hn::Load(d, signs);
}

// A vector whose sign bits are the dithered signs of u.
HWY_INLINE VF dithered(const SignBlock& b, size_t i, const int16_t* halfwords, VF u, VF inverse_sigma, VF margin) {
  const DF d;
  const hn::RebindToSigned<DF> di;
  const hn::Rebind<int16_t, DF> d16;
  const VF end = hn::Set(d, kFilterEnd);
  const VF z = hn::Max(hn::Neg(end), hn::Min(hn::Mul(u, inverse_sigma), end));
  const VF z2 = hn::Mul(z, z);
  VF q = hn::Set(d, kFilter[6]);
  HWY_UNROLL(6)
  for (int k = 5; k >= 0; --k) q = hn::Add(hn::Mul(q, z2), hn::Set(d, kFilter[k]));
  const VF h = hn::ConvertTo(d, hn::PromoteTo(di, hn::Load(d16, halfwords)));
  const VF difference = hn::Sub(hn::Mul(z, q), h);
  const MF open = hn::Lt(hn::Abs(difference), margin);
  if (HWY_LIKELY(hn::AllFalse(d, open))) return difference;
  return draw_exactly(b, i, halfwords, u, difference, open);
}

template <Moving kMoving, Noise kNoise, Sums kSums>
void sign_range(const SignBlock& b, size_t begin, size_t end, StepStatistics& partial) {
  // Without a moving average u, v and g are one thing, and their squares are summed once.
  constexpr bool kSquare = kSums != Sums::kNone && !(kSums == Sums::kAll && kMoving == Moving::kNone);
  const DF d;
  const VF one = hn::Set(d, 1.0f), zero = hn::Zero(d);
  const VF b1 = hn::Set(d, b.b1), a1 = hn::Set(d, b.a1), b2 = hn::Set(d, b.b2), a2 = hn::Set(d, b.a2);
  const VF lr = hn::Set(d, b.lr), keep = hn::Set(d, b.keep), rate = hn::Set(d, b.sgd_rate), sigma = hn::Set(d, b.sigma);
  // Where 1 / sigma is no normal number the filter knows nothing.
  const bool filter = b.sigma >= 0x1p-126f;
  const VF inverse_sigma = hn::Set(d, filter ? 1.0f / b.sigma : 0.0f);
  const VF margin = hn::Set(d, filter ? kFilterMargin : std::numeric_limits<float>::infinity());
  const bool has_m = kMoving == Moving::kAverage || (kMoving == Moving::kBlend && b.m != nullptr);
  // Local copies: the compiler cannot know that stores to x and m leave b alone.
  float* const xs = b.x;
  float* const ms = b.m;
  const float* const gs = b.g;
  const Stream draws = b.draws, gaussian = b.gaussian;
  const bool square_of_gradient = b.square_of_gradient, v_is_momentum = b.v_is_momentum;
  const ZeroPolicy zero_policy = b.zero;
  const bool one_average = b.b1 == b.b2;  // then u and m' are one number
  Chunk random;

  for (size_t block = begin; block < end; block += kBlockElements) {
    const size_t block_end = HWY_MIN(block + kBlockElements, end);
    const size_t units_end = block + (block_end - block) / kUnit * kUnit;
    VectorSums s_dot_v, v_dot_v, u_dot_u;
    SignSums sums;
    for (size_t chunk = block; chunk < units_end; chunk += kChunk) {
      if constexpr (kNoise == Noise::kBernoulli) {
        philox_batch(draws, static_cast<uint32_t>(chunk / 8), reinterpret_cast<uint32_t*>(random.halfwords));
      } else if constexpr (kNoise != Noise::kNone) {
        normal_batch(gaussian, chunk, random.xi);
        normal_batch(gaussian, chunk + kNormalBatch, random.xi + kNormalBatch);
      }
      const size_t chunk_end = HWY_MIN(chunk + kChunk, units_end);
      for (size_t unit = chunk; unit < chunk_end; unit += kUnit) {
        HWY_UNROLL(4)
        for (size_t j = 0; j < kUnit / kN; ++j) {
          const size_t i = unit + j * kN;
          const VF g = hn::LoadU(d, gs + i);
          VF u = g, m = g, old_m = g;
          if (has_m) {
            VF noisy = g;
            if constexpr (kNoise == Noise::kGradient)
              noisy = hn::Add(g, hn::Mul(sigma, hn::Load(d, random.xi + (i - chunk))));
            old_m = hn::LoadU(d, ms + i);
            u = hn::Add(hn::Mul(b1, old_m), hn::Mul(a1, noisy));
            m = one_average ? u : hn::Add(hn::Mul(b2, old_m), hn::Mul(a2, noisy));
          }

          MF finite = hn::IsFinite(u);
          if (has_m && !one_average) finite = hn::And(finite, hn::IsFinite(m));
          const bool all_finite = hn::AllTrue(d, finite);
          if (HWY_UNLIKELY(!all_finite)) sums.nonfinite += kN - hn::CountTrue(d, finite);

          if constexpr (kSquare) {
            VF r = square_of_gradient ? g : u;
            if (HWY_UNLIKELY(!all_finite)) r = hn::IfThenElseZero(finite, r);
            u_dot_u.add_products(j, r, r);
          }
          if constexpr (kSums != Sums::kMeasure) {
            VF s;
            if constexpr (kNoise == Noise::kBernoulli) {
              s = hn::CopySignToAbs(one, dithered(b, i, random.halfwords + (i - chunk), u, inverse_sigma, margin));
            } else {
              const MF is_zero = hn::Eq(u, zero);
              s = hn::IfThenZeroElse(is_zero, hn::CopySignToAbs(one, u));
              if (zero_policy != ZeroPolicy::kSkip && !hn::AllFalse(d, is_zero))
                s = hn::IfThenElse(is_zero, zero_policy == ZeroPolicy::kPlus ? one : coin_signs(b, i), s);
            }
            if constexpr (kSums == Sums::kAll) {
              VF v = v_is_momentum ? m : g;
              VF counted = s;
              if (HWY_UNLIKELY(!all_finite)) {
                v = hn::IfThenElseZero(finite, v);
                counted = hn::IfThenElseZero(finite, s);
              }
              sums.nonzero += hn::CountTrue(d, hn::Ne(counted, zero));
              s_dot_v.add(j, hn::Mul(counted, v));
              v_dot_v.add_products(j, v, v);
            }
            if constexpr (kNoise == Noise::kPost) s = hn::Add(s, hn::Mul(sigma, hn::Load(d, random.xi + (i - chunk))));
            const VF old_x = hn::LoadU(d, xs + i);
            VF x = hn::Sub(hn::Mul(keep, old_x), hn::Mul(lr, s));
            if constexpr (kMoving == Moving::kBlend) x = hn::Sub(x, hn::Mul(rate, m));
            if (HWY_UNLIKELY(!all_finite)) {
              x = hn::IfThenElse(finite, x, old_x);
              m = hn::IfThenElse(finite, m, old_m);
            }
            hn::StoreU(x, d, xs + i);
            if (has_m) hn::StoreU(m, d, ms + i);
          }
        }
      }
    }
    s_dot_v.store(sums.s_dot_v);
    v_dot_v.store(sums.v_dot_v);
    kSquare ? u_dot_u.store(sums.u_dot_u) : v_dot_v.store(sums.u_dot_u);
    sign_elements_ref(b, kSums == Sums::kMeasure, units_end, block_end, sums);
    sums.add_to(partial, block_end - block);
  }
}

template <Moving kMoving, Noise kNoise>
void for_sums(const SignBlock& b, size_t begin, size_t end, StepStatistics& partial) {
  switch (b.sums) {
    case StepSums::kNone:
      return sign_range<kMoving, kNoise, Sums::kNone>(b, begin, end, partial);
    case StepSums::kSquare:
      return sign_range<kMoving, kNoise, Sums::kSquare>(b, begin, end, partial);
    case StepSums::kAll:
      return sign_range<kMoving, kNoise, Sums::kAll>(b, begin, end, partial);
  }
}

template <Moving kMoving>
void for_noise(const SignBlock& b, size_t begin, size_t end, StepStatistics& partial) {
  switch (b.noise) {
    case Noise::kNone:
      return for_sums<kMoving, Noise::kNone>(b, begin, end, partial);
    case Noise::kBernoulli:
      return for_sums<kMoving, Noise::kBernoulli>(b, begin, end, partial);
    case Noise::kPost:
      return for_sums<kMoving, Noise::kPost>(b, begin, end, partial);
    case Noise::kGradient:
      if constexpr (kMoving != Moving::kNone) for_sums<kMoving, Noise::kGradient>(b, begin, end, partial);
  }
}

void SignRange(const SignBlock& b, bool measure, size_t begin, size_t end, StepStatistics& partial) {
  if (measure) {
    if (b.m == nullptr) return sign_range<Moving::kNone, Noise::kNone, Sums::kMeasure>(b, begin, end, partial);
    return sign_range<Moving::kAverage, Noise::kNone, Sums::kMeasure>(b, begin, end, partial);
  }
  if (b.sgd_rate != 0) return for_noise<Moving::kBlend>(b, begin, end, partial);
  if (b.m != nullptr) return for_noise<Moving::kAverage>(b, begin, end, partial);
  return for_noise<Moving::kNone>(b, begin, end, partial);
}

#else

void SignRange(const SignBlock& b, bool measure, size_t begin, size_t end, StepStatistics& partial) {
  sign_range_ref(b, measure, begin, end, partial);
}

#endif

const char* TargetName() { return hwy::TargetName(HWY_TARGET); }

}  // namespace HWY_NAMESPACE
}  // namespace signstep
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <cassert>

namespace signstep {
HWY_EXPORT(SignRange);
HWY_EXPORT(TargetName);

namespace {

void all(std::span<const StepTensor> tensors, const SignStep& step, bool measure, std::span<StepStatistics> statistics,
         Executor& executor) {
  assert(statistics.size() == tensors.size());
  for (const StepTensor& t : tensors) {
    assert(t.m != nullptr || (step.b1 == 0 && step.b2 == 0));
    SignBlock check(t, step);  // throws here rather than on a thread of the executor
  }
  const auto range = HWY_DYNAMIC_DISPATCH(SignRange);
  for_each_partial(
      statistics, executor, [&](size_t t) { return tensors[t].n; },
      [&](size_t t, size_t begin, size_t end) {
        StepStatistics partial;
        range(SignBlock(tensors[t], step), measure, begin, end, partial);
        return partial;
      });
}

}  // namespace

void sign_step(std::span<const StepTensor> tensors, const SignStep& step, std::span<StepStatistics> statistics,
               Executor& executor) {
  all(tensors, step, false, statistics, executor);
}

void sign_measure(std::span<const StepTensor> tensors, const SignStep& step, std::span<StepStatistics> statistics,
                  Executor& executor) {
  SignStep measure = step;
  measure.sums = StepSums::kSquare;
  all(tensors, measure, true, statistics, executor);
}

const char* simd_target() { return HWY_DYNAMIC_DISPATCH(TargetName)(); }

}  // namespace signstep
#endif
