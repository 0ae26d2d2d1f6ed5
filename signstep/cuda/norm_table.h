// SPDX-License-Identifier: Apache-2.0
// Batch normalisation of images in channels-last order, with the addition and the rectifier behind it, forward and
// backward, by the passes of a step: what PyTorch's kernels do in seven passes over the activations and more is done
// in four (Ioffe, Szegedy 2015, arXiv 1502.03167, section 3.1):
//
//   kSums       per channel the sums of y - k and (y - k)^2 over all rows, k the first row
//   kFinish     mean, variance, running statistics; scale = weight / std
//   kApply      z = rectified(scale (y - mean) + bias + residual)
//   kBackSums   per channel the sums of dz' and dz' (y - mean); dz' is dz where z > 0, else 0
//   kBackFinish gradients of weight and bias; c1 and c2
//   kBackApply  dy = scale dz' + c1 (y - mean) + c2, and dz' as the residual's gradient
//
// A chunk of rows is added row by row in as many lanes as fit into a block, lanes in order, chunks in double in 32
// parts, parts pairwise: the same bits on every device, and every time. y, residual, z and their gradients are of one
// type.
#pragma once

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

}  // namespace signstep
