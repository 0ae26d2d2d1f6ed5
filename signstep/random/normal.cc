// SPDX-License-Identifier: Apache-2.0
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "signstep/random/normal.cc"
#include <hwy/foreach_target.h>
// foreach_target.h must come first
#include <hwy/highway.h>

#include "signstep/random/normal-inl.h"
#include "signstep/random/normal.h"

HWY_BEFORE_NAMESPACE();
namespace signstep {
namespace HWY_NAMESPACE {

void FillNormal(const Stream& stream, uint64_t first, float* out, size_t n) {
#if HWY_TARGET != HWY_SCALAR && !HWY_HAVE_SCALABLE
  HWY_ALIGN float batch[kNormalBatch];
  for (size_t done = 0; done < n;) {
    const uint64_t i = first + done;
    const size_t skip = static_cast<size_t>(i % kNormalBatch);  // 0, or 32 at the start
    normal_batch(stream, i - skip, batch);
    const size_t count = HWY_MIN(kNormalBatch - skip, n - done);
    for (size_t j = 0; j < count; ++j) out[done + j] = batch[skip + j];
    done += count;
  }
#else
  fill_normal_ref(stream, first, {out, n});
#endif
}

}  // namespace HWY_NAMESPACE
}  // namespace signstep
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace signstep {
HWY_EXPORT(FillNormal);

void fill_normal(const Stream& stream, uint64_t first, std::span<float> out) {
  HWY_DYNAMIC_DISPATCH(FillNormal)(stream, first, out.data(), out.size());
}
}  // namespace signstep
#endif
