// SPDX-License-Identifier: Apache-2.0
// The vector form of sign_kernel_ref.cc. Every operation on x, m and the sums is the reference's, in its order; what
// differs is only how a dithered sign is found (dither_draw.h) and that rare cases are kept out of the main path.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "signstep/kernels/sign_kernel.cc"
#include <hwy/foreach_target.h>
// foreach_target.h must come first
#include <hwy/highway.h>

#include "signstep/kernels/sign_block.h"
#include "signstep/kernels/sign_parts-inl.h"

HWY_BEFORE_NAMESPACE();
namespace signstep {
namespace HWY_NAMESPACE {

#if HWY_TARGET != HWY_SCALAR && !HWY_HAVE_SCALABLE

template <Moving kMoving, Noise kNoise, Sums kSums>
void sign_range(const SignBlock& b, size_t begin, size_t end, StepStatistics& partial) {
  const SignParts<kMoving, kNoise, kSums> parts(b);
  const Stream draws = b.draws, gaussian = b.gaussian;  // copies, for stores to x and m may change b
  const DitherDraw dither(b.sigma, b.refinement);
  const LawDraw law{b.uniform, b.refinement};
  Chunk random;
  for (size_t block = begin; block < end; block += kBlockElements) {
    const size_t block_end = HWY_MIN(block + kBlockElements, end);
    const size_t turns_end = block + (block_end - block) / kTurn * kTurn;
    BlockSums block_sums;
    for (size_t chunk = block; chunk < turns_end; chunk += kChunk) {
      draw_chunk<kNoise>(b, draws, gaussian, chunk, random);
      const size_t chunk_end = HWY_MIN(chunk + kChunk, turns_end);
      for (size_t i = chunk; i < chunk_end; i += kTurn) {
        const int16_t* const halfwords = random.halfwords + (i - chunk);
        const float* const xi = random.xi + (i - chunk);
        Turn t;
        parts.prefetch(i);
        parts.load_and_average(i, xi, t);
        parts.count_nonfinite(t, block_sums);
        parts.add_squares(t, block_sums);
        if constexpr (kSums == Sums::kMeasure) continue;
        if constexpr (kNoise == Noise::kBernoulli) dither.template draw<kVectors>(i, halfwords, t.u, t.s);
        for (size_t k = 0; k < kVectors; ++k) {
          const size_t at = i + k * kN;
          t.s[k] = parts.sign(t, k, at, law, halfwords + k * kN);
          parts.add_products(t, k, block_sums);
          parts.store(t, k, at, xi + k * kN);
        }
      }
    }
    SignSums sums;
    parts.close(block_sums, sums);
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
    return sign_range<Moving::kTwo, Noise::kNone, Sums::kMeasure>(b, begin, end, partial);
  }
  if (b.sgd_rate != 0) return for_noise<Moving::kBlend>(b, begin, end, partial);
  if (b.m == nullptr) return for_noise<Moving::kNone>(b, begin, end, partial);
  if (b.b1 == b.b2) return for_noise<Moving::kOne>(b, begin, end, partial);
  return for_noise<Moving::kTwo>(b, begin, end, partial);
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
