// SPDX-License-Identifier: Apache-2.0
// Convolution forward, and backward to its input: for one pixel, 32 images and 32 result channels at a time, 2 x 2
// accumulator tiles over all taps and summed channels. Four tile loads feed four products of 16,384 multiply-adds;
// weights of a result block stay near while the row is walked.
#include <cstring>

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

// Adds a unit's sums around the pivot.
inline void add_statistics(const float* acc, int64_t valid, float* sums) {
  const __m512 pivot0 = _mm512_load_ps(sums), pivot1 = _mm512_load_ps(sums + 16);
  __m512 sum0 = _mm512_load_ps(sums + kSide), sum1 = _mm512_load_ps(sums + kSide + 16);
  __m512 square0 = _mm512_load_ps(sums + 2 * kSide), square1 = _mm512_load_ps(sums + 2 * kSide + 16);
  for (int64_t i = 0; i < valid; ++i) {
    const __m512 d0 = _mm512_sub_ps(_mm512_load_ps(acc + i * kSide), pivot0);
    const __m512 d1 = _mm512_sub_ps(_mm512_load_ps(acc + i * kSide + 16), pivot1);
    sum0 = _mm512_add_ps(sum0, d0);
    sum1 = _mm512_add_ps(sum1, d1);
    square0 = _mm512_fmadd_ps(d0, d0, square0);
    square1 = _mm512_fmadd_ps(d1, d1, square1);
  }
  _mm512_store_ps(sums + kSide, sum0);
  _mm512_store_ps(sums + kSide + 16, sum1);
  _mm512_store_ps(sums + 2 * kSide, square0);
  _mm512_store_ps(sums + 2 * kSide + 16, square1);
}

}  // namespace

void conv(const ConvJob& job, const Part& part) {
  const TileScope tiles;
  alignas(64) float acc[kUnit];
  const int64_t rows = job.out.pixels / job.width, valid = valid_rows(job.images, part.group);
  for (int64_t block = part.first_block; block < part.last_block; ++block)
    for (int64_t row = part.first_row; row < part.last_row; ++row) {
      alignas(64) float sums[kSums] = {};
      for (int64_t pixel = row * job.width; pixel < (row + 1) * job.width; ++pixel) {
        convolve(job.sources, part.group, pixel, block, acc);
        if (pixel == row * job.width) std::memcpy(sums, acc, kSide * sizeof(float));
        Bf16* out = job.out.unit(part.group, pixel, block);
        for (int64_t i = 0; i < kSide; ++i) store_row(out + i * kSide, load_row(acc + i * kSide));
        if (job.sums) add_statistics(acc, valid, sums);
      }
      if (job.sums)
        std::memcpy(job.sums + ((part.group * rows + row) * job.out.blocks + block) * kSums, sums, sizeof sums);
    }
}

void data_gradient(const DataGradientJob& job, const Part& part) {
  const TileScope tiles;
  alignas(64) float acc[kUnit];
  const int64_t width = job.epilogue.width;
  for (int64_t block = part.first_block; block < part.last_block; ++block)
    for (int64_t row = part.first_row; row < part.last_row; ++row) {
      Epilogue epilogue(job.epilogue, part.group, row, block);
      for (int64_t pixel = row * width; pixel < (row + 1) * width; ++pixel) {
        convolve(job.sources, part.group, pixel, block, acc);
        epilogue.unit(pixel, acc, kSide);
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
