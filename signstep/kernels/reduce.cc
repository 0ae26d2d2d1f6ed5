// SPDX-License-Identifier: Apache-2.0
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "signstep/kernels/reduce.cc"
#include <hwy/foreach_target.h>
// foreach_target.h must come first
#include <hwy/highway.h>

#include "signstep/kernels/reduce.h"
#include "signstep/kernels/reduce_block.h"
#include "signstep/kernels/vector_sums-inl.h"

HWY_BEFORE_NAMESPACE();
namespace signstep {
namespace HWY_NAMESPACE {

#if HWY_TARGET != HWY_SCALAR && !HWY_HAVE_SCALABLE

template <Reduction kReduction>
double reduce_range(const float* a, const float* b, size_t begin, size_t end) {
  const DF d;
  double partial = 0;
  for (size_t block = begin; block < end; block += kBlockElements) {
    const size_t block_end = HWY_MIN(block + kBlockElements, end);
    const size_t units_end = block + (block_end - block) / kUnit * kUnit;
    VectorSums lanes;
    for (size_t unit = block; unit < units_end; unit += kUnit) {
      HWY_UNROLL(4)
      for (size_t j = 0; j < kUnit / kN; ++j) {
        const VF v = hn::LoadU(d, a + unit + j * kN);
        if constexpr (kReduction == Reduction::kDot)
          lanes.add_products(j, v, hn::LoadU(d, b + unit + j * kN));
        else
          lanes.add(j, hn::Abs(v));
      }
    }
    LaneSums sums;
    lanes.store(sums);
    for (size_t i = units_end; i < block_end; ++i) sums.add(i, reduce_term(kReduction, a[i], b[i]));
    partial += sums.total();
  }
  return partial;
}

double ReduceRange(Reduction reduction, const float* a, const float* b, size_t begin, size_t end) {
  return reduction == Reduction::kDot ? reduce_range<Reduction::kDot>(a, b, begin, end)
                                      : reduce_range<Reduction::kAbsolute>(a, b, begin, end);
}

#else

double ReduceRange(Reduction reduction, const float* a, const float* b, size_t begin, size_t end) {
  return reduce_range_ref(reduction, a, b, begin, end);
}

#endif

}  // namespace HWY_NAMESPACE
}  // namespace signstep
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <cassert>

namespace signstep {
HWY_EXPORT(ReduceRange);

namespace {

double reduce(Reduction reduction, std::span<const float> a, const float* b, Executor& executor) {
  const auto range = HWY_DYNAMIC_DISPATCH(ReduceRange);
  return sum_pieces<double>(a.size(), executor,
                            [&](size_t begin, size_t end) { return range(reduction, a.data(), b, begin, end); });
}

double reduce_ref(Reduction reduction, std::span<const float> a, const float* b) {
  double total = 0;
  for (size_t begin = 0; begin < a.size(); begin += kPartialElements)
    total += reduce_range_ref(reduction, a.data(), b, begin, std::min(begin + kPartialElements, a.size()));
  return total;
}

}  // namespace

double dot(std::span<const float> a, std::span<const float> b, Executor& executor) {
  assert(a.size() == b.size());
  return reduce(Reduction::kDot, a, b.data(), executor);
}
double sum_of_squares(std::span<const float> a, Executor& executor) {
  return reduce(Reduction::kDot, a, a.data(), executor);
}
double l1_norm(std::span<const float> a, Executor& executor) {
  return reduce(Reduction::kAbsolute, a, a.data(), executor);
}

double dot_ref(std::span<const float> a, std::span<const float> b) {
  assert(a.size() == b.size());
  return reduce_ref(Reduction::kDot, a, b.data());
}
double sum_of_squares_ref(std::span<const float> a) { return reduce_ref(Reduction::kDot, a, a.data()); }
double l1_norm_ref(std::span<const float> a) { return reduce_ref(Reduction::kAbsolute, a, a.data()); }

}  // namespace signstep
#endif
