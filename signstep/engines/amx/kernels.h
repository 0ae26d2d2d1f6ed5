// SPDX-License-Identifier: Apache-2.0
// The work of the engine as small independent tasks, each with a slow obvious reference (kernels_ref.cc) and a fast
// twin. Which task computes what depends on the layer alone, and sums over tasks are taken in their order elsewhere
// (batch_norm.h), so any number of threads gives the same bits. Tasks neither throw nor allocate.
#pragma once

#include <cstdint>
#include <span>

#include "signstep/engines/amx/geometry.h"
#include "signstep/engines/amx/tiles.h"

namespace signstep::amx {

// --- Weights ---------------------------------------------------------------------------------------------------------
// Float32 weights lie (out, tap, in). Packed for a product over K channels with N results they are units of 32 x 32,
// [block of N][tap][block of K]; a unit is two tiles of 16 results, row j of a tile holding the pairs (K 2j, K 2j + 1).
struct PackJob {
  const float* weights = nullptr;
  int64_t out = 0, in = 0, taps = 1;
  Bf16* forward = nullptr;   // K = in, N = out
  Bf16* backward = nullptr;  // K = out, N = in; null where no data gradient is wanted
};
inline int64_t packed_size(int64_t out, int64_t in, int64_t taps) {
  return blocks_of(out) * blocks_of(in) * taps * kUnit;
}

// --- Convolutions: forward, and the data gradient, which is one over the output's gradient ---------------------------
struct Source {
  Tiles in;
  const Bf16* weights = nullptr;
  int64_t taps = 1;
  const Terms* terms = nullptr;     // for each pixel of the result
  int64_t summed = 0, results = 0;  // channels of the operand; units beyond them are 0
};

// What one task computes of a result. Many rows of few blocks where the weights are large, so that a block's weights
// are read once for many pixels; one row of all blocks where the activations are.
struct Part {
  int64_t group = 0;
  int64_t first_row = 0, last_row = 0;      // of pixels; one past the last
  int64_t first_block = 0, last_block = 0;  // of result channels
};

// Three floats a channel for each row of a part: [group][row][block][3][32].
inline constexpr int64_t kSums = 3 * kSide;

// Forward: out = sum. Sums: a pivot k, sum(v - k), sum((v - k)^2), over the row's pixels and the group's images.
struct ConvJob {
  std::span<const Source> sources;
  Tiles out;
  int64_t width = 0;      // of the result; a row has that many pixels
  int64_t images = 0;     // real ones
  float* sums = nullptr;  // null: none are taken
};

// What a gradient g goes through on its way to a normalised, rectified activation z = relu(norm(y0) [+ norm(y1)]):
// v = (g + add) where z > 0, else 0. Sums: sum(v), sum(v (y0 - mean0)), sum(v (y1 - mean1)).
struct GradientEpilogue {
  Tiles out, z, y0;
  Tiles add;                                       // data null: none
  Tiles y1;                                        // data null: none
  const float *mean0 = nullptr, *mean1 = nullptr;  // a channel each
  int64_t width = 0, images = 0;
  float* sums = nullptr;
};
struct DataGradientJob {
  std::span<const Source> sources;  // results are summed: the block's convolution and its shortcut's
  GradientEpilogue epilogue;
};
// The mean over all pixels, backwards: g of a pixel is gradient[image][channel] (padded to whole units).
struct PoolGradientJob {
  const float* gradient = nullptr;
  GradientEpilogue epilogue;
};

// --- Weight gradient -------------------------------------------------------------------------------------------------
// sum over pixels and images of dy x, one partial sum for each chunk of the bands: [chunk][out block][in block][tap]
// units of 32 out x 32 in floats, in's columns in the order of column_of (what interleaving two rows of images leaves).
struct WeightGradientJob {
  Tiles in, dy;
  const Bands* bands = nullptr;
  int64_t taps = 1, chunks = 1;
  float* partial = nullptr;
  // Where the sum over chunks goes: (out, tap, columns) in floats, the real channels alone.
  float* gradient = nullptr;
  int64_t out = 0, columns = 0;
};
inline constexpr int64_t kOutBlocksPerTask = 2;  // x is put in order once for both
inline int64_t weight_gradient_columns(int64_t out_blocks) {
  return (out_blocks + kOutBlocksPerTask - 1) / kOutBlocksPerTask;
}
inline int64_t column_of(int64_t channel) {
  const int64_t lane = channel / 4;
  return lane % 2 * 16 + lane / 2 * 4 + channel % 4;
}
// Bytes of scratch that a task needs.
int64_t weight_gradient_scratch(const Bands& bands);

// --- Passes over activations -----------------------------------------------------------------------------------------
// out = relu(scale y + shift [+ residual, or residual_scale residual + residual_shift]); padding stays 0.
struct NormalizeJob {
  Tiles y, out, residual;
  const float *scale = nullptr, *shift = nullptr, *residual_scale = nullptr, *residual_shift = nullptr;
  int64_t width = 0, images = 0;
};
// out = a g + b y + c, a channel each; padding stays 0. out may be g.
struct NormGradientJob {
  Tiles g, y, out;
  const float *a = nullptr, *b = nullptr, *c = nullptr;
  int64_t width = 0, images = 0;
};

struct Kernels {
  const char* name;
  void (*pack)(const PackJob&, int64_t out_block);
  void (*conv)(const ConvJob&, const Part&);
  void (*data_gradient)(const DataGradientJob&, const Part&);
  void (*pool_gradient)(const PoolGradientJob&, int64_t group, int64_t row);
  void (*weight_gradient)(const WeightGradientJob&, int64_t column, int64_t chunk, std::byte* scratch);
  void (*sum_weight_gradient)(const WeightGradientJob&, int64_t out_block);
  void (*normalize)(const NormalizeJob&, int64_t group, int64_t row);
  void (*norm_gradient)(const NormGradientJob&, int64_t group, int64_t row);
};

const Kernels& reference_kernels();
// Null where the processor or the operating system has no bf16 tiles.
const Kernels* amx_kernels();
// The same but for the products, which the vector unit does, by bf16 dot products or by pairs of fused multiply-adds:
// the same bits, by whichever takes less time here. Null where the processor has no AVX-512, or no such products.
enum class VectorProducts { kDots, kFused };
VectorProducts faster_products();
const Kernels* avx512_kernels(VectorProducts products = faster_products());

}  // namespace signstep::amx
