// SPDX-License-Identifier: Apache-2.0
// The vector form of sgd_kernel_ref.cc: the same operations on every element, in the same order.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "signstep/kernels/sgd_kernel.cc"
#include <hwy/foreach_target.h>
// foreach_target.h must come first
#include <hwy/highway.h>

#include "signstep/kernels/prefetch.h"
#include "signstep/kernels/sgd_block.h"
#include "signstep/kernels/vector_sums-inl.h"

HWY_BEFORE_NAMESPACE();
namespace signstep {
namespace HWY_NAMESPACE {

#if HWY_TARGET != HWY_SCALAR && !HWY_HAVE_SCALABLE

template <bool kMoving, bool kProducts>
void sgd_range(const SgdBlock& b, size_t begin, size_t end, StepStatistics& partial) {
  const DF df;
  const VF mu = hn::Set(df, b.mu), one_minus_mu = hn::Set(df, b.one_minus_mu);
  const VF rate = hn::Set(df, b.rate), decay_factor = hn::Set(df, b.decay_factor), l2 = hn::Set(df, b.l2);
  const bool penalty = b.l2 != 0;
  for (size_t block = begin; block < end; block += kBlockElements) {
    const size_t block_end = HWY_MIN(block + kBlockElements, end);
    const size_t units_end = block + (block_end - block) / kUnit * kUnit;
    VectorSums v_dot_v;
    SgdSums sums;
    for (size_t unit = block; unit < units_end; unit += kUnit) {
      prefetch_ahead<kUnit>(b.g + unit);
      prefetch_ahead<kUnit>(b.x + unit);
      if constexpr (kMoving) prefetch_ahead<kUnit>(b.d + unit);
      HWY_UNROLL(4)
      for (size_t j = 0; j < kUnit / kN; ++j) {
        const size_t i = unit + j * kN;
        const VF g = hn::LoadU(df, b.g + i), old_x = hn::LoadU(df, b.x + i);
        const VF h = penalty ? hn::Add(g, hn::Mul(l2, old_x)) : g;
        VF d = h, old_d = h;
        if constexpr (kMoving) {
          old_d = hn::LoadU(df, b.d + i);
          d = hn::Add(hn::Mul(mu, old_d), hn::Mul(one_minus_mu, h));
        }
        VF v = b.v_is_momentum ? d : g;
        VF x = hn::Sub(hn::Mul(decay_factor, old_x), hn::Mul(rate, d));
        const MF finite = hn::IsFinite(d);
        if (HWY_UNLIKELY(!hn::AllTrue(df, finite))) {
          sums.nonfinite += kN - hn::CountTrue(df, finite);
          v = hn::IfThenElseZero(finite, v);
          x = hn::IfThenElse(finite, x, old_x);
          d = hn::IfThenElse(finite, d, old_d);
        }
        if constexpr (kProducts) v_dot_v.add_products(j, v, v);
        hn::StoreU(x, df, b.x + i);
        if constexpr (kMoving) hn::StoreU(d, df, b.d + i);
      }
    }
    v_dot_v.store(sums.v_dot_v);
    sgd_elements_ref(b, units_end, block_end, sums);
    sums.add_to(partial, block_end - block);
  }
}

void SgdRange(const SgdBlock& b, size_t begin, size_t end, StepStatistics& partial) {
  if (b.d != nullptr) {
    b.products ? sgd_range<true, true>(b, begin, end, partial) : sgd_range<true, false>(b, begin, end, partial);
  } else {
    b.products ? sgd_range<false, true>(b, begin, end, partial) : sgd_range<false, false>(b, begin, end, partial);
  }
}

#else

void SgdRange(const SgdBlock& b, size_t begin, size_t end, StepStatistics& partial) {
  sgd_range_ref(b, begin, end, partial);
}

#endif

}  // namespace HWY_NAMESPACE
}  // namespace signstep
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <cassert>

namespace signstep {
HWY_EXPORT(SgdRange);

namespace {

// step_of(t) is the step of tensors[t].
template <class StepOf>
void all(std::span<const StepTensor> tensors, StepOf&& step_of, std::span<StepStatistics> statistics,
         Executor& executor) {
  assert(statistics.size() == tensors.size());
  const auto range = HWY_DYNAMIC_DISPATCH(SgdRange);
  sum_pieces(
      statistics, executor, [&](size_t t) { return tensors[t].n; },
      [&](size_t t, size_t begin, size_t end) {
        StepStatistics partial;
        range(SgdBlock(tensors[t], step_of(t)), begin, end, partial);
        return partial;
      });
}

}  // namespace

void sgd_phase_step(std::span<const StepTensor> tensors, const SgdPhaseStep& step, std::span<StepStatistics> statistics,
                    Executor& executor) {
  all(
      tensors, [&](size_t) -> const SgdPhaseStep& { return step; }, statistics, executor);
}

void sgd_phase_step(std::span<const StepTensor> tensors, std::span<const SgdPhaseStep> steps,
                    std::span<StepStatistics> statistics, Executor& executor) {
  assert(steps.size() == tensors.size());
  all(
      tensors, [&](size_t t) -> const SgdPhaseStep& { return steps[t]; }, statistics, executor);
}

}  // namespace signstep
#endif
