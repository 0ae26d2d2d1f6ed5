// SPDX-License-Identifier: Apache-2.0
// The lanes of lane_sums.h in vector registers, for inclusion by per-target sources.
#if defined(SIGNSTEP_KERNELS_VECTOR_SUMS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SIGNSTEP_KERNELS_VECTOR_SUMS_INL_H_
#undef SIGNSTEP_KERNELS_VECTOR_SUMS_INL_H_
#else
#define SIGNSTEP_KERNELS_VECTOR_SUMS_INL_H_
#endif

#include <hwy/highway.h>

#include "signstep/kernels/lane_sums.h"

#if HWY_TARGET != HWY_SCALAR && !HWY_HAVE_SCALABLE

HWY_BEFORE_NAMESPACE();
namespace signstep {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using DF = hn::CappedTag<float, kSumLanes>;
using DD = hn::Repartition<double, DF>;
using VF = hn::VFromD<DF>;
using VD = hn::VFromD<DD>;
using MF = hn::Mask<DF>;
inline constexpr size_t kN = HWY_MIN(HWY_LANES(float), kSumLanes);  // floats per vector
inline constexpr size_t kUnit = kSumLanes;                          // elements that go once through all lanes

struct VectorSums {
  static constexpr size_t kVectors = 2 * kSumLanes / kN;
  VD lane[kVectors];

  HWY_INLINE VectorSums() {
    for (auto& v : lane) v = hn::Zero(DD());
  }
  // Elements kN j .. kN j + kN - 1 of a unit.
  HWY_INLINE void add(size_t j, VF a) {
    lane[2 * j] = hn::Add(lane[2 * j], low(a));
    lane[2 * j + 1] = hn::Add(lane[2 * j + 1], high(a));
  }
  // a b is exact in double, so fusing it with the addition rounds as the two operations do.
  HWY_INLINE void add_products(size_t j, VF a, VF b) {
    lane[2 * j] = hn::MulAdd(low(a), low(b), lane[2 * j]);
    lane[2 * j + 1] = hn::MulAdd(high(a), high(b), lane[2 * j + 1]);
  }
  HWY_INLINE void store(LaneSums& sums) const {
    for (size_t k = 0; k < kVectors; ++k) hn::StoreU(lane[k], DD(), sums.lane + k * (kN / 2));
  }

 private:
  static HWY_INLINE VD low(VF a) { return hn::PromoteTo(DD(), hn::LowerHalf(hn::Half<DF>(), a)); }
  static HWY_INLINE VD high(VF a) { return hn::PromoteTo(DD(), hn::UpperHalf(hn::Half<DF>(), a)); }
};

}  // namespace HWY_NAMESPACE
}  // namespace signstep
HWY_AFTER_NAMESPACE();

#endif  // a vector target
#endif  // per-target include guard
