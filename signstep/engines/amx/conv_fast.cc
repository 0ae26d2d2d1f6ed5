// SPDX-License-Identifier: Apache-2.0
// Convolutions with what is done to a result while it is still in the cache: statistics forward, the gradient's mask
// and sums backward. Weights of a result block stay near while its rows are walked.
#include <cstring>

#include "signstep/engines/amx/epilogue-inl.h"
#include "signstep/engines/amx/fast_kernels.h"
#include "signstep/engines/amx/matrix_unit-inl.h"
#include "signstep/engines/amx/vector_unit-inl.h"

SIGNSTEP_AMX_BEGIN

namespace signstep::amx::fast {
namespace {

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

template <class Unit>
void conv(const ConvJob& job, const Part& part) {
  const typename Unit::Scope scope;
  const int64_t rows = job.out.pixels / job.width, valid = valid_rows(job.images, part.group);
  for (int64_t block = part.first_block; block < part.last_block; ++block)
    for (int64_t row = part.first_row; row < part.last_row; ++row) {
      alignas(64) float sums[kSums] = {};
      Unit::convolve_row(
          job.sources, part.group, row, job.width, block, [](int64_t) {},
          [&](int64_t pixel, const float* acc) {
            if (pixel == row * job.width) std::memcpy(sums, acc, kSide * sizeof(float));
            Bf16* out = job.out.unit(part.group, pixel, block);
            for (int64_t i = 0; i < kSide; ++i) store_row(out + i * kSide, load_row(acc + i * kSide));
            if (job.sums) add_statistics(acc, valid, sums);
          });
      if (job.sums)
        std::memcpy(job.sums + ((part.group * rows + row) * job.out.blocks + block) * kSums, sums, sizeof sums);
    }
}

template <class Unit>
void data_gradient(const DataGradientJob& job, const Part& part) {
  const typename Unit::Scope scope;
  for (int64_t block = part.first_block; block < part.last_block; ++block)
    for (int64_t row = part.first_row; row < part.last_row; ++row) {
      Epilogue epilogue(job.epilogue, part.group, row, block);
      Unit::convolve_row(
          job.sources, part.group, row, job.epilogue.width, block, [&](int64_t pixel) { epilogue.prefetch(pixel); },
          [&](int64_t pixel, const float* acc) { epilogue.unit(pixel, acc, kSide); });
    }
}

template void conv<MatrixUnit>(const ConvJob&, const Part&);
template void conv<VectorUnit<DotProducts>>(const ConvJob&, const Part&);
template void conv<VectorUnit<FusedPairs>>(const ConvJob&, const Part&);
template void data_gradient<MatrixUnit>(const DataGradientJob&, const Part&);
template void data_gradient<VectorUnit<DotProducts>>(const DataGradientJob&, const Part&);
template void data_gradient<VectorUnit<FusedPairs>>(const DataGradientJob&, const Part&);

void pool_gradient(const PoolGradientJob& job, int64_t group, int64_t row) {
  const int64_t channels = job.epilogue.out.blocks * kSide;
  for (int64_t block = 0; block < job.epilogue.out.blocks; ++block) {
    Epilogue epilogue(job.epilogue, group, row, block);
    for (int64_t x = 0; x < job.epilogue.width; ++x)
      epilogue.unit(row * job.epilogue.width + x, job.gradient + group * kSide * channels + block * kSide, channels);
  }
}

}  // namespace signstep::amx::fast

SIGNSTEP_AMX_END
