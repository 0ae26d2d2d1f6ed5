// SPDX-License-Identifier: Apache-2.0
// The vector form of sign_kernel_ref.cc. Every operation on x, m and the sums is the reference's, in its order; what
// differs is only how a dithered sign is found (dither_draw.h) and that rare cases are kept out of the main path.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "signstep/kernels/sign_kernel.cc"
#include <hwy/foreach_target.h>
// foreach_target.h must come first
#include <hwy/highway.h>

#include "signstep/kernels/dither-inl.h"
#include "signstep/kernels/prefetch.h"
#include "signstep/kernels/sign_block.h"
#include "signstep/kernels/vector_sums-inl.h"
#include "signstep/random/normal-inl.h"
#include "signstep/random/philox-inl.h"

HWY_BEFORE_NAMESPACE();
namespace signstep {
namespace HWY_NAMESPACE {

#if HWY_TARGET != HWY_SCALAR && !HWY_HAVE_SCALABLE

constexpr size_t kChunk = 2 * kBatchWords;           // elements served by one Philox batch of 16-bit draws
constexpr size_t kVectors = HWY_MAX(2, kUnit / kN);  // that one turn of the loop takes
constexpr size_t kTurn = kVectors * kN;              // elements: 32 for AVX-512, else 16
constexpr size_t kUnitVectors = kUnit / kN;          // vectors that go once through all lanes of the sums

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
  const VF old = hn::LoadU(d, maximum), now = hn::IfThenElse(finite, hn::Max(old, hn::Abs(u)), old);
  hn::StoreU(now, d, maximum);
  return hn::Mul(sigma, now);
}

template <Moving kMoving, Noise kNoise, Sums kSums>
void sign_range(const SignBlock& b, size_t begin, size_t end, StepStatistics& partial) {
  // Without a moving average u, v and g are one thing, and their squares are summed once.
  constexpr bool kSquare = kSums != Sums::kNone && !(kSums == Sums::kAll && kMoving == Moving::kNone);
  const DF d;
  const VF one = hn::Set(d, 1.0f), zero = hn::Zero(d);
  const VF b1 = hn::Set(d, b.b1), a1 = hn::Set(d, b.a1), b2 = hn::Set(d, b.b2), a2 = hn::Set(d, b.a2);
  const VF lr = hn::Set(d, b.lr), keep = hn::Set(d, b.keep), rate = hn::Set(d, b.sgd_rate), sigma = hn::Set(d, b.sigma);
  const bool has_m = kMoving == Moving::kAverage || (kMoving == Moving::kBlend && b.m != nullptr);
  // Local copies: the compiler cannot know that stores to x and m leave b alone.
  float* const xs = b.x;
  float* const ms = b.m;
  const float* const gs = b.g;
  const Stream draws = b.draws, gaussian = b.gaussian;
  const DitherDraw dither(b.sigma, b.refinement);
  const LawDraw law{b.uniform, b.refinement};
  float* const maxima = b.maximum;
  const ZeroPolicy zero_policy = b.zero;
  const bool square_of_gradient = b.square_of_gradient, v_is_momentum = b.v_is_momentum;
  const bool along_gradient = b.sgd_along_gradient;
  const bool one_average = b.b1 == b.b2;  // then u and m' are one number
  Chunk random;

  for (size_t block = begin; block < end; block += kBlockElements) {
    const size_t block_end = HWY_MIN(block + kBlockElements, end);
    const size_t turns_end = block + (block_end - block) / kTurn * kTurn;
    VectorSums s_dot_v, v_dot_v, u_dot_u;
    SignSums sums;
    for (size_t chunk = block; chunk < turns_end; chunk += kChunk) {
      if (kNoise == Noise::kBernoulli || (kNoise == Noise::kLaw && !b.mean)) {
        philox_batch(draws, static_cast<uint32_t>(chunk / 8), reinterpret_cast<uint32_t*>(random.halfwords));
      } else if constexpr (kNoise == Noise::kGradient || kNoise == Noise::kPost) {
        normal_batch(gaussian, chunk, random.xi);
        normal_batch(gaussian, chunk + kNormalBatch, random.xi + kNormalBatch);
      }
      const size_t chunk_end = HWY_MIN(chunk + kChunk, turns_end);
      for (size_t i = chunk; i < chunk_end; i += kTurn) {
        prefetch_ahead<kTurn>(gs + i);
        if constexpr (kSums != Sums::kMeasure) prefetch_ahead<kTurn>(xs + i);
        if (has_m) prefetch_ahead<kTurn>(ms + i);
        VF g[kVectors], u[kVectors], m[kVectors], old_m[kVectors], s[kVectors];
        MF finite[kVectors];
        for (size_t k = 0; k < kVectors; ++k) {
          old_m[k] = m[k] = u[k] = g[k] = hn::LoadU(d, gs + i + k * kN);
          if (has_m) {
            VF noisy = g[k];
            if constexpr (kNoise == Noise::kGradient)
              noisy = hn::Add(noisy, hn::Mul(sigma, hn::Load(d, random.xi + (i - chunk) + k * kN)));
            old_m[k] = hn::LoadU(d, ms + i + k * kN);
            u[k] = hn::Add(hn::Mul(b1, old_m[k]), hn::Mul(a1, noisy));
            m[k] = one_average ? u[k] : hn::Add(hn::Mul(b2, old_m[k]), hn::Mul(a2, noisy));
          }
          finite[k] = hn::IsFinite(u[k]);
          if (has_m && !one_average) finite[k] = hn::And(finite[k], hn::IsFinite(m[k]));
        }
        MF every = finite[0];
        for (size_t k = 1; k < kVectors; ++k) every = hn::And(every, finite[k]);
        const bool all_finite = hn::AllTrue(d, every);
        if (HWY_UNLIKELY(!all_finite)) {
          for (size_t k = 0; k < kVectors; ++k) sums.nonfinite += kN - hn::CountTrue(d, finite[k]);
        }

        if constexpr (kSquare) {
          for (size_t k = 0; k < kVectors; ++k) {
            VF r = square_of_gradient ? g[k] : u[k];
            if (HWY_UNLIKELY(!all_finite)) r = hn::IfThenElseZero(finite[k], r);
            u_dot_u.add_products(k % kUnitVectors, r, r);
          }
        }
        if constexpr (kSums == Sums::kMeasure) continue;

        if constexpr (kNoise == Noise::kBernoulli)
          dither.template draw<kVectors>(i, random.halfwords + (i - chunk), u, s);
        for (size_t k = 0; k < kVectors; ++k) {
          const size_t at = i + k * kN;
          VF scale = sigma;
          if (kNoise != Noise::kBernoulli && maxima != nullptr)
            scale = scale_by_maximum(maxima + at, u[k], finite[k], sigma);
          if constexpr (kNoise == Noise::kBernoulli) {
            s[k] = hn::CopySignToAbs(one, s[k]);
          } else if constexpr (kNoise == Noise::kLaw) {
            s[k] = law_signs(b, law, at, random.halfwords + (at - chunk), u[k], scale);
          } else {
            s[k] = plain_signs(b, zero_policy, at, u[k]);
          }
          if constexpr (kSums == Sums::kAll) {
            VF v = v_is_momentum ? m[k] : g[k];
            VF counted = s[k];
            if (HWY_UNLIKELY(!all_finite)) {
              v = hn::IfThenElseZero(finite[k], v);
              counted = hn::IfThenElseZero(finite[k], counted);
            }
            sums.nonzero += hn::CountTrue(d, hn::Ne(counted, zero));
            if constexpr (kNoise == Noise::kLaw) {
              s_dot_v.add_products(k % kUnitVectors, counted, v);
            } else {
              s_dot_v.add(k % kUnitVectors, hn::Mul(counted, v));  // exact, s being -1, 0 or 1
            }
            v_dot_v.add_products(k % kUnitVectors, v, v);
          }
          if constexpr (kNoise == Noise::kPost)
            s[k] = hn::Add(s[k], hn::Mul(sigma, hn::Load(d, random.xi + (at - chunk))));
          const VF old_x = hn::LoadU(d, xs + at);
          // s is +-1 where it was drawn: then lr s needs no multiplication.
          const VF step = kNoise == Noise::kBernoulli ? hn::CopySignToAbs(lr, s[k]) : hn::Mul(lr, s[k]);
          VF x = hn::Sub(hn::Mul(keep, old_x), step);
          if constexpr (kMoving == Moving::kBlend) x = hn::Sub(x, hn::Mul(rate, along_gradient ? g[k] : m[k]));
          if (HWY_UNLIKELY(!all_finite)) {
            x = hn::IfThenElse(finite[k], x, old_x);
            m[k] = hn::IfThenElse(finite[k], m[k], old_m[k]);
          }
          hn::StoreU(x, d, xs + at);
          if (has_m) hn::StoreU(m[k], d, ms + at);
        }
      }
    }
    s_dot_v.store(sums.s_dot_v);
    v_dot_v.store(sums.v_dot_v);
    kSquare ? u_dot_u.store(sums.u_dot_u) : v_dot_v.store(sums.u_dot_u);
    sign_elements_ref(b, kSums == Sums::kMeasure, turns_end, block_end, sums);
    sums.add_to(partial, block_end - block);
  }
}

template <Moving kMoving, Noise kNoise>
void for_sums(const SignBlock& b, size_t begin, size_t end, StepStatistics& partial) {
  switch (b.sums) {
    case StepSums::kNone: return sign_range<kMoving, kNoise, Sums::kNone>(b, begin, end, partial);
    case StepSums::kSquare: return sign_range<kMoving, kNoise, Sums::kSquare>(b, begin, end, partial);
    case StepSums::kAll: return sign_range<kMoving, kNoise, Sums::kAll>(b, begin, end, partial);
  }
}

template <Moving kMoving>
void for_noise(const SignBlock& b, size_t begin, size_t end, StepStatistics& partial) {
  switch (b.noise) {
    case Noise::kNone: return for_sums<kMoving, Noise::kNone>(b, begin, end, partial);
    case Noise::kBernoulli: return for_sums<kMoving, Noise::kBernoulli>(b, begin, end, partial);
    case Noise::kLaw: return for_sums<kMoving, Noise::kLaw>(b, begin, end, partial);
    case Noise::kPost: return for_sums<kMoving, Noise::kPost>(b, begin, end, partial);
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

// step_of(t) is the step of tensors[t].
template <class StepOf>
void all(std::span<const StepTensor> tensors, StepOf&& step_of, bool measure, std::span<StepStatistics> statistics,
         Executor& executor) {
  assert(statistics.size() == tensors.size());
  for (size_t t = 0; t < tensors.size(); ++t) {
    assert(tensors[t].m != nullptr || tensors[t].n == 0 || (step_of(t).b1 == 0 && step_of(t).b2 == 0));
    SignBlock check(tensors[t], step_of(t));  // throws here rather than on a thread of the executor
  }
  const auto range = HWY_DYNAMIC_DISPATCH(SignRange);
  sum_pieces(
      statistics, executor, [&](size_t t) { return tensors[t].n; },
      [&](size_t t, size_t begin, size_t end) {
        StepStatistics partial;
        range(SignBlock(tensors[t], step_of(t)), measure, begin, end, partial);
        return partial;
      });
}

}  // namespace

void sign_step(std::span<const StepTensor> tensors, const SignStep& step, std::span<StepStatistics> statistics,
               Executor& executor) {
  all(
      tensors, [&](size_t) -> const SignStep& { return step; }, false, statistics, executor);
}

void sign_step(std::span<const StepTensor> tensors, std::span<const SignStep> steps,
               std::span<StepStatistics> statistics, Executor& executor) {
  assert(steps.size() == tensors.size());
  all(
      tensors, [&](size_t t) -> const SignStep& { return steps[t]; }, false, statistics, executor);
}

void sign_measure(std::span<const StepTensor> tensors, const SignStep& step, std::span<StepStatistics> statistics,
                  Executor& executor) {
  SignStep measure = step;
  measure.sums = StepSums::kSquare;
  all(
      tensors, [&](size_t) -> const SignStep& { return measure; }, true, statistics, executor);
}

const char* simd_target() { return HWY_DYNAMIC_DISPATCH(TargetName)(); }

}  // namespace signstep
#endif
