// SPDX-License-Identifier: Apache-2.0
// What the blocks of a norm's passes do forward (norm_table.h), for a Grid as in step_body.h.
#pragma once

#include <cmath>

#include "signstep/cuda/norm_table.h"

namespace signstep {

// A thread's eight channels and the rows of its block that are its.
struct NormPlace {
  uint32_t channel, lane, lanes;
  uint64_t begin, end;
  bool idle;

  SIGNSTEP_HD NormPlace(const NormArguments& a, uint32_t block, uint32_t thread) {
    const uint32_t groups = a.channels / kEight;
    lanes = norm_lanes(a.channels);
    channel = thread % groups * kEight;
    lane = thread / groups;
    begin = uint64_t{block} * a.rows_of_chunk;
    end = begin + a.rows_of_chunk < a.rows ? begin + a.rows_of_chunk : a.rows;
    idle = lane >= lanes;
  }
};

template <ElementType kType>
struct NormEight {
  float value[kEight];

  SIGNSTEP_HD NormEight(const void* array, uint64_t first) { load_eight(array, kType, true, first, kEight, value); }
  SIGNSTEP_HD void subtract(const float* mean) {
    SIGNSTEP_UNROLL
    for (uint32_t j = 0; j < kEight; ++j) value[j] -= mean[j];
  }
};

template <ElementType kType>
SIGNSTEP_HD inline void store_norm(void* array, uint64_t first, const float* in) {
  if constexpr (kType == ElementType::kFloat32) {
    store_eight(static_cast<float*>(array), true, first, kEight, in);
  } else {
    uint16_t rounded[kEight];
    SIGNSTEP_UNROLL
    for (uint32_t j = 0; j < kEight; ++j) rounded[j] = nearest_bits(kType, in[j]);
    store_eight(static_cast<uint16_t*>(array), true, first, kEight, rounded);
  }
}

// The sums of each channel over the block's lanes, in their order, into its partial sums.
template <class Grid>
SIGNSTEP_HD inline void add_norm_lanes(Grid& grid, const NormShared& shared, const NormArguments& a) {
  grid.each([&](uint32_t thread) {
    const uint32_t lanes = norm_lanes(a.channels);
    for (uint32_t c = thread; c < a.channels; c += kNormThreads) {
      float first = 0, second = 0;
      for (uint32_t lane = 0; lane < lanes; ++lane) {
        first += shared.a[lane * a.channels + c];
        second += shared.b[lane * a.channels + c];
      }
      a.partial[uint64_t{grid.block()} * a.channels + c] = {first, second};
    }
  });
}

// finish(channel, first sum, second sum) for the eight channels of the block.
template <class Grid, class Finish>
SIGNSTEP_HD inline void norm_totals(Grid& grid, NormFinishShared& shared, const NormArguments& a, Finish&& finish) {
  grid.each([&](uint32_t thread) {
    const uint32_t channel = grid.block() * kEight + thread % kEight;
    NormSums sums[kNormTurns];  // all under way before the first is waited for
    SIGNSTEP_UNROLL
    for (uint32_t turn = 0; turn < kNormTurns; ++turn) {
      const uint32_t chunk = thread / kEight + turn * kNormParts;
      sums[turn] = chunk < a.chunks ? a.partial[uint64_t{chunk} * a.channels + channel] : NormSums{0, 0};
    }
    double first = 0, second = 0;
    SIGNSTEP_UNROLL
    for (uint32_t turn = 0; turn < kNormTurns; ++turn) {
      first += static_cast<double>(sums[turn].first);
      second += static_cast<double>(sums[turn].second);
    }
    shared.a[thread] = first;
    shared.b[thread] = second;
  });
  for (uint32_t half = kNormParts / 2; half > 0; half /= 2)
    grid.each([&](uint32_t thread) {
      if (thread >= half * kEight) return;
      shared.a[thread] += shared.a[thread + half * kEight];
      shared.b[thread] += shared.b[thread + half * kEight];
    });
  grid.each([&](uint32_t thread) {
    if (thread < kEight) finish(grid.block() * kEight + thread, shared.a[thread], shared.b[thread]);
  });
}

template <ElementType kType, class Grid>
SIGNSTEP_HD inline void norm_sums_body(Grid& grid, NormShared& shared, const NormArguments& a) {
  grid.each([&](uint32_t thread) {
    const NormPlace at(a, grid.block(), thread);
    if (at.idle) return;
    const NormEight<kType> k(a.y, at.channel);
    float sum[kEight] = {}, square[kEight] = {};
    SIGNSTEP_UNROLL_4
    for (uint64_t row = at.begin + at.lane; row < at.end; row += at.lanes) {
      const NormEight<kType> y(a.y, row * a.channels + at.channel);
      SIGNSTEP_UNROLL
      for (uint32_t j = 0; j < kEight; ++j) {
        const float d = y.value[j] - k.value[j];
        sum[j] += d;
        square[j] += d * d;
      }
    }
    store_eight(shared.a, true, at.lane * a.channels + at.channel, kEight, sum);
    store_eight(shared.b, true, at.lane * a.channels + at.channel, kEight, square);
  });
  add_norm_lanes(grid, shared, a);
}

template <ElementType kType, class Grid>
SIGNSTEP_HD inline void norm_finish_body(Grid& grid, NormFinishShared& shared, const NormArguments& a) {
  norm_totals(grid, shared, a, [&](uint32_t c, double sum, double square) {
    const NormEight<kType> k(a.y, c / kEight * kEight);
    const double n = static_cast<double>(a.rows), offset = sum / n;
    const double spread = square / n - offset * offset, variance = spread > 0 ? spread : 0;
    const float mean = static_cast<float>(static_cast<double>(k.value[c % kEight]) + offset);
    const float inverse = static_cast<float>(1 / std::sqrt(variance + static_cast<double>(a.epsilon)));
    const float keep = 1 - a.momentum, unbiased = static_cast<float>(variance * (n / (n - 1)));
    a.running_mean[c] = keep * a.running_mean[c] + a.momentum * mean;
    a.running_variance[c] = keep * a.running_variance[c] + a.momentum * unbiased;
    a.mean[c] = mean;
    a.inverse_std[c] = inverse;
    a.scale[c] = a.weight[c] * inverse;
    a.offset[c] = a.bias[c];
  });
}

template <ElementType kType, class Grid>
SIGNSTEP_HD inline void norm_apply_body(Grid& grid, const NormArguments& a) {
  grid.each([&](uint32_t thread) {
    const NormPlace at(a, grid.block(), thread);
    if (at.idle) return;
    float mean[kEight], scale[kEight], offset[kEight];
    load_eight(a.mean, ElementType::kFloat32, true, at.channel, kEight, mean);
    load_eight(a.scale, ElementType::kFloat32, true, at.channel, kEight, scale);
    load_eight(a.offset, ElementType::kFloat32, true, at.channel, kEight, offset);
    for (uint64_t row = at.begin + at.lane; row < at.end; row += at.lanes) {
      const uint64_t first = row * a.channels + at.channel;
      NormEight<kType> y(a.y, first);
      y.subtract(mean);
      float z[kEight] = {};
      if (a.residual != nullptr) load_eight(a.residual, kType, true, first, kEight, z);
      SIGNSTEP_UNROLL
      for (uint32_t j = 0; j < kEight; ++j) {
        const float sum = scale[j] * y.value[j] + offset[j] + z[j];
        z[j] = a.rectified && sum < 0 ? 0.0f : sum;
      }
      store_norm<kType>(a.out, first, z);
    }
  });
}

}  // namespace signstep
