// SPDX-License-Identifier: Apache-2.0
// Batch normalisation of images in channels-last order, with the addition and the rectifier behind it, forward and
// backward, for a Grid as in step_body.h. What PyTorch's kernels do in seven passes over the activations is done in
// four (Ioffe, Szegedy 2015, arXiv 1502.03167, section 3.1):
//
//   kSums       per channel the sums of y - k and (y - k)^2 over all rows, k the first row
//   kFinish     mean, variance, running statistics; scale = weight / std
//   kApply      z = rectified(scale (y - mean) + bias + residual)
//   kBackSums   per channel the sums of dz' and dz' (y - mean); dz' is dz where z > 0, else 0
//   kBackFinish gradients of weight and bias; c1 and c2
//   kBackApply  dy = scale dz' + c1 (y - mean) + c2, and dz' as the residual's gradient
//
// A chunk of rows is added row by row in as many lanes as fit into a block, lanes in order, chunks in double in 32
// parts, parts in order: the same bits on every device, and every time. y, residual, z and their gradients are of one
// type.
#pragma once

#include <cmath>

#include "signstep/cuda/eight.h"

namespace signstep {

inline constexpr uint32_t kNormThreads = 256;
inline constexpr uint32_t kNormParts = 32;
inline constexpr uint32_t kMostNormChannels = kEight * kNormThreads;
inline constexpr uint32_t kNormTurns = 16;
inline constexpr uint64_t kMostNormChunks =
    kNormTurns * kNormParts;  // 512, about as many blocks as an H200 runs at once

enum class NormPass : uint8_t { kSums, kFinish, kApply, kBackSums, kBackFinish, kBackApply };

struct alignas(8) NormSums {
  float first, second;
};

struct NormArguments {
  uint64_t rows;      // images times pixels, >= 2
  uint32_t channels;  // a multiple of 8, at most kMostNormChannels
  uint32_t rows_of_chunk, chunks;
  ElementType type;  // float32 or bfloat16
  bool rectified;
  float momentum, epsilon;
  const void *y, *residual, *z,
      *dz;                   // residual: null where nothing is added; z: looked at backward, rectified after adding
  void *out, *residual_out;  // z, or dy and the residual's gradient
  const float *weight, *bias;
  float *running_mean, *running_variance;
  float *mean, *inverse_std, *scale, *offset;  // by kFinish; offset: the bias
  float *weight_gradient, *bias_gradient, *c;  // by kBackFinish; c: c1 and c2 of all channels
  NormSums* partial;                           // of each chunk, all channels
};

struct NormShared {
  alignas(16) float a[kMostNormChannels], b[kMostNormChannels];
};
struct NormFinishShared {
  double a[kNormThreads], b[kNormThreads];
};

// Fills rows_of_chunk and chunks, by rows and channels alone.
SIGNSTEP_HD inline uint32_t norm_lanes(uint32_t channels) { return kNormThreads / (channels / kEight); }
SIGNSTEP_HD inline void set_norm_chunks(NormArguments& a) {
  const uint64_t turn = uint64_t{4} * norm_lanes(a.channels);
  const uint64_t least = (a.rows + kMostNormChunks - 1) / kMostNormChunks;
  a.rows_of_chunk = static_cast<uint32_t>((least + turn - 1) / turn * turn);
  a.chunks = static_cast<uint32_t>((a.rows + a.rows_of_chunk - 1) / a.rows_of_chunk);
}
SIGNSTEP_HD inline uint32_t norm_blocks(const NormArguments& a, NormPass pass) {
  const bool finish = pass == NormPass::kFinish || pass == NormPass::kBackFinish;
  return finish ? a.channels / kEight : a.chunks;
}

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
