// SPDX-License-Identifier: Apache-2.0
// Convolution forward, and backward to its input: for one pixel, 32 images and 32 result channels at a time, 2 x 2
// accumulator tiles over all taps and summed channels. Four tile loads feed four products of 16,384 multiply-adds;
// weights of a result block stay near while the row is walked.
#include "signstep/nn/amx_engine/epilogue-inl.h"
#include "signstep/nn/amx_engine/fast_kernels.h"

namespace signstep::amx::fast {
namespace {

// acc (32 images x 32 channels) = the sum over all sources for one pixel and result block.
inline void convolve(std::span<const Source> sources, int64_t group, int64_t pixel, int64_t block, float* acc) {
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  for (const Source& s : sources) {
    const Bf16* weights = s.weights + block * s.taps * s.in.blocks * kUnit;
    for (const Term& term : s.terms->of(pixel)) {
      const Bf16* a = s.in.unit(group, term.pixel, 0);
      const Bf16* w = weights + term.tap * s.in.blocks * kUnit;
      for (int64_t k = 0; k < s.in.blocks; ++k, a += kUnit, w += kUnit) {
        _tile_loadd(4, a, 64);
        _tile_loadd(6, w, 64);
        _tile_dpbf16ps(0, 4, 6);
        _tile_loadd(7, w + 512, 64);
        _tile_dpbf16ps(1, 4, 7);
        _tile_loadd(5, a + 512, 64);
        _tile_dpbf16ps(2, 5, 6);
        _tile_dpbf16ps(3, 5, 7);
      }
    }
  }
  _tile_stored(0, acc, 128);
  _tile_stored(1, acc + 16, 128);
  _tile_stored(2, acc + 16 * kSide, 128);
  _tile_stored(3, acc + 16 * kSide + 16, 128);
}

}  // namespace

void conv(const ConvJob& job, int64_t group, int64_t row) {
  const TileScope tiles;
  alignas(64) float acc[kUnit];
  const int64_t rows = job.out.pixels / job.width, valid = valid_rows(job.images, group);
  for (int64_t block = 0; block < job.out.blocks; ++block) {
    Row pivot = zero_row(), sum = zero_row(), squares = zero_row();
    for (int64_t x = 0; x < job.width; ++x) {
      const int64_t pixel = row * job.width + x;
      convolve(job.sources, group, pixel, block, acc);
      Bf16* out = job.out.unit(group, pixel, block);
      if (x == 0) pivot = load_row(acc);
      for (int64_t i = 0; i < kSide; ++i) {
        const Row v = load_row(acc + i * kSide);
        store_row(out + i * kSide, v);
        if (i >= valid) continue;
        const Row d = v - pivot;
        sum = sum + d;
        squares = fma(d, d, squares);
      }
    }
    if (job.sums == nullptr) continue;
    float* sums = job.sums + ((group * rows + row) * job.out.blocks + block) * kSums;
    store_row(sums, pivot);
    store_row(sums + kSide, sum);
    store_row(sums + 2 * kSide, squares);
  }
}

void data_gradient(const DataGradientJob& job, int64_t group, int64_t row) {
  const TileScope tiles;
  alignas(64) float acc[kUnit];
  for (int64_t block = 0; block < job.epilogue.out.blocks; ++block) {
    Epilogue epilogue(job.epilogue, group, row, block);
    for (int64_t x = 0; x < job.epilogue.width; ++x) {
      convolve(job.sources, group, row * job.epilogue.width + x, block, acc);
      epilogue.unit(row * job.epilogue.width + x, acc, kSide);
    }
  }
}

void pool_gradient(const PoolGradientJob& job, int64_t group, int64_t row) {
  const int64_t channels = job.epilogue.out.blocks * kSide;
  for (int64_t block = 0; block < job.epilogue.out.blocks; ++block) {
    Epilogue epilogue(job.epilogue, group, row, block);
    for (int64_t x = 0; x < job.epilogue.width; ++x)
      epilogue.unit(row * job.epilogue.width + x, job.gradient + group * kSide * channels + block * kSide, channels);
  }
}

}  // namespace signstep::amx::fast
