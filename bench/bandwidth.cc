// SPDX-License-Identifier: Apache-2.0
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "bench/bandwidth.cc"
#include <hwy/foreach_target.h>
// foreach_target.h must come first
#include <hwy/highway.h>

#include <vector>

#include "bench/bandwidth.h"
#include "signstep/kernels/prefetch.h"
#include "signstep/parallel/pieces.h"

HWY_BEFORE_NAMESPACE();
namespace signstep {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

void Bandwidth(const StepTensor& t, size_t begin, size_t end) {
  const hn::ScalableTag<float> d;
  const size_t lanes = hn::Lanes(d);
  size_t i = begin;
  if (t.m == nullptr) {
    for (; i + lanes <= end; i += lanes) {
      prefetch_ahead<1>(t.x + i);
      prefetch_ahead<1>(t.g + i);
      hn::StoreU(hn::Add(hn::LoadU(d, t.x + i), hn::LoadU(d, t.g + i)), d, t.x + i);
    }
    for (; i < end; ++i) t.x[i] += t.g[i];
  } else {
    for (; i + lanes <= end; i += lanes) {
      prefetch_ahead<1>(t.x + i);
      prefetch_ahead<1>(t.g + i);
      prefetch_ahead<1>(t.m + i);
      const auto m = hn::Add(hn::LoadU(d, t.m + i), hn::LoadU(d, t.g + i));
      hn::StoreU(m, d, t.m + i);
      hn::StoreU(hn::Add(hn::LoadU(d, t.x + i), m), d, t.x + i);
    }
    for (; i < end; ++i) t.x[i] += t.m[i] += t.g[i];
  }
}

double ReadSum(const float* values, size_t begin, size_t end) {
  const hn::ScalableTag<float> d;
  const size_t lanes = hn::Lanes(d);
  auto a = hn::Zero(d), b = a, c = a, e = a;
  size_t i = begin;
  for (; i + 4 * lanes <= end; i += 4 * lanes) {
    a = hn::Add(a, hn::LoadU(d, values + i));
    b = hn::Add(b, hn::LoadU(d, values + i + lanes));
    c = hn::Add(c, hn::LoadU(d, values + i + 2 * lanes));
    e = hn::Add(e, hn::LoadU(d, values + i + 3 * lanes));
  }
  double sum = hn::GetLane(hn::SumOfLanes(d, hn::Add(hn::Add(a, b), hn::Add(c, e))));
  for (; i < end; ++i) sum += values[i];
  return sum;
}

}  // namespace HWY_NAMESPACE
}  // namespace signstep
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace signstep {
HWY_EXPORT(Bandwidth);
HWY_EXPORT(ReadSum);

void bandwidth_step(std::span<const StepTensor> tensors, Executor& executor) {
  const auto run = HWY_DYNAMIC_DISPATCH(Bandwidth);
  std::vector<int> nothing(tensors.size());
  sum_pieces(
      std::span(nothing), executor, [&](size_t t) { return tensors[t].n; },
      [&](size_t t, size_t begin, size_t end) { return run(tensors[t], begin, end), 0; });
}

double read_sum(std::span<const float> values, Executor& executor) {
  const auto run = HWY_DYNAMIC_DISPATCH(ReadSum);
  return sum_pieces<double>(values.size(), executor,
                            [&](size_t begin, size_t end) { return run(values.data(), begin, end); });
}

}  // namespace signstep
#endif
