// SPDX-License-Identifier: Apache-2.0
// What the blocks of a norm's passes do backward (norm_table.h).
#pragma once

#include "signstep/cuda/norm_body.h"

namespace signstep {

// dz' of eight elements.
template <ElementType kType>
SIGNSTEP_HD inline void norm_dz(const NormArguments& a, uint64_t first, const float* centred, const float* scale,
                                const float* offset, float* dz) {
  load_eight(a.dz, kType, true, first, kEight, dz);
  if (!a.rectified) return;
  float z[kEight];
  if (a.z != nullptr) {
    load_eight(a.z, kType, true, first, kEight, z);
  } else {
    SIGNSTEP_UNROLL
    for (uint32_t j = 0; j < kEight; ++j) z[j] = scale[j] * centred[j] + offset[j];
  }
  SIGNSTEP_UNROLL
  for (uint32_t j = 0; j < kEight; ++j) dz[j] = z[j] > 0 ? dz[j] : 0.0f;
}

template <ElementType kType, class Grid>
SIGNSTEP_HD inline void norm_back_sums_body(Grid& grid, NormShared& shared, const NormArguments& a) {
  grid.each([&](uint32_t thread) {
    const NormPlace at(a, grid.block(), thread);
    if (at.idle) return;
    float mean[kEight], scale[kEight], offset[kEight], sum[kEight] = {}, product[kEight] = {};
    load_eight(a.mean, ElementType::kFloat32, true, at.channel, kEight, mean);
    load_eight(a.scale, ElementType::kFloat32, true, at.channel, kEight, scale);
    load_eight(a.offset, ElementType::kFloat32, true, at.channel, kEight, offset);
    SIGNSTEP_UNROLL_4
    for (uint64_t row = at.begin + at.lane; row < at.end; row += at.lanes) {
      const uint64_t first = row * a.channels + at.channel;
      NormEight<kType> y(a.y, first);
      y.subtract(mean);
      float dz[kEight];
      norm_dz<kType>(a, first, y.value, scale, offset, dz);
      SIGNSTEP_UNROLL
      for (uint32_t j = 0; j < kEight; ++j) {
        sum[j] += dz[j];
        product[j] += dz[j] * y.value[j];
      }
    }
    store_eight(shared.a, true, at.lane * a.channels + at.channel, kEight, sum);
    store_eight(shared.b, true, at.lane * a.channels + at.channel, kEight, product);
  });
  add_norm_lanes(grid, shared, a);
}

template <class Grid>
SIGNSTEP_HD inline void norm_back_finish_body(Grid& grid, NormFinishShared& shared, const NormArguments& a) {
  norm_totals(grid, shared, a, [&](uint32_t c, double sum, double product) {
    const double n = static_cast<double>(a.rows), inverse = static_cast<double>(a.inverse_std[c]);
    const double scale = static_cast<double>(a.scale[c]);
    a.bias_gradient[c] = static_cast<float>(sum);
    a.weight_gradient[c] = static_cast<float>(product * inverse);
    a.c[c] = static_cast<float>(-scale * inverse * inverse * product / n);
    a.c[a.channels + c] = static_cast<float>(-scale * sum / n);
  });
}

template <ElementType kType, class Grid>
SIGNSTEP_HD inline void norm_back_apply_body(Grid& grid, const NormArguments& a) {
  grid.each([&](uint32_t thread) {
    const NormPlace at(a, grid.block(), thread);
    if (at.idle) return;
    float mean[kEight], scale[kEight], offset[kEight], c1[kEight], c2[kEight];
    load_eight(a.mean, ElementType::kFloat32, true, at.channel, kEight, mean);
    load_eight(a.scale, ElementType::kFloat32, true, at.channel, kEight, scale);
    load_eight(a.offset, ElementType::kFloat32, true, at.channel, kEight, offset);
    load_eight(a.c, ElementType::kFloat32, true, at.channel, kEight, c1);
    load_eight(a.c + a.channels, ElementType::kFloat32, true, at.channel, kEight, c2);
    for (uint64_t row = at.begin + at.lane; row < at.end; row += at.lanes) {
      const uint64_t first = row * a.channels + at.channel;
      NormEight<kType> y(a.y, first);
      y.subtract(mean);
      float dz[kEight], dy[kEight];
      norm_dz<kType>(a, first, y.value, scale, offset, dz);
      SIGNSTEP_UNROLL
      for (uint32_t j = 0; j < kEight; ++j) dy[j] = scale[j] * dz[j] + c1[j] * y.value[j] + c2[j];
      store_norm<kType>(a.out, first, dy);
      if (a.residual_out != nullptr) store_norm<kType>(a.residual_out, first, dz);
    }
  });
}

}  // namespace signstep
