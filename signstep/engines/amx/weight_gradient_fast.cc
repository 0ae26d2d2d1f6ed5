// SPDX-License-Identifier: Apache-2.0
// The weight gradient: out x in products summed over pixels and images. The matrix unit sums along rows of its first
// operand and pairs of rows of its second, so dy's units are transposed and x's interleaved, image j with image j + 16,
// a band of pixels at a time into scratch that the second-level cache holds; each is then used for all taps, dy's for
// all blocks of x.
#include "signstep/engines/amx/fast_kernels.h"
#include "signstep/engines/amx/matrix_unit-inl.h"
#include "signstep/engines/amx/vector_unit-inl.h"

SIGNSTEP_AMX_BEGIN

namespace signstep::amx::fast {
namespace {

// What interleave() pairs, as rows of two tiles: row c of 32 holds channel c of all images.
inline void transpose_unit(const Bf16* unit, Bf16* out) {
  __m512i low[16], high[16];
  for (int64_t j = 0; j < 16; ++j) {
    const __m512i a = _mm512_load_si512(unit + j * kSide), b = _mm512_load_si512(unit + (j + 16) * kSide);
    low[j] = _mm512_unpacklo_epi16(a, b);
    high[j] = _mm512_unpackhi_epi16(a, b);
  }
  transpose(low);
  transpose(high);
  for (int64_t i = 0; i < 16; ++i) {
    // low's column i is the channel with column_of = i, that is lanes 0, 2, 4, 6 of four channels.
    const int64_t channel = i / 4 * 8 + i % 4;
    _mm512_store_si512(out + channel * kSide, low[i]);
    _mm512_store_si512(out + (channel + 4) * kSide, high[i]);
  }
}

}  // namespace

template <class Unit>
void weight_gradient(const WeightGradientJob& job, int64_t column, int64_t chunk, std::byte* scratch) {
  const typename Unit::Scope scope;
  const int64_t first_block = column * kOutBlocksPerTask,
                last_block = std::min(first_block + kOutBlocksPerTask, job.dy.blocks);
  const int64_t pieces = job.bands->count(job.in.groups);
  const int64_t first = chunk * pieces / job.chunks, last = (chunk + 1) * pieces / job.chunks;
  for (int64_t index = first; index < last; ++index) {
    const Bands::Piece piece = job.bands->piece(index, job.in.groups);
    const auto& [outputs, inputs, taps] = *piece.band;
    const int64_t dy_size = std::ssize(outputs) * piece.groups * kUnit;  // of one block
    Bf16* dy = reinterpret_cast<Bf16*>(scratch);
    Bf16* x = dy + kOutBlocksPerTask * dy_size;
    Bf16* to = dy;
    for (int64_t block = first_block; block < last_block; ++block)
      for (int64_t group = 0; group < piece.groups; ++group)
        for (const int32_t pixel : outputs) {
          transpose_unit(job.dy.unit(piece.first_group + group, pixel, block), to);
          to += kUnit;
        }
    for (int64_t in_block = 0; in_block < job.in.blocks; ++in_block) {
      const int64_t columns = std::min(kSide, job.columns - in_block * kSide);
      to = x;
      for (int64_t group = 0; group < piece.groups; ++group)
        for (const int32_t pixel : inputs) {
          Unit::order_input(job.in.unit(piece.first_group + group, pixel, in_block), to, columns);
          to += kUnit;
        }
      for (int64_t block = first_block; block < last_block; ++block)
        for (int64_t tap = 0; tap < job.taps; ++tap)
          Unit::add_pairs(
              {.pairs = taps[static_cast<size_t>(tap)],
               .dy = dy + (block - first_block) * dy_size,
               .x = x,
               .groups = piece.groups,
               .dy_step = std::ssize(outputs) * kUnit,
               .x_step = std::ssize(inputs) * kUnit,
               .rows = std::min(kSide, job.out - block * kSide),
               .columns = columns},
              index == first,
              job.partial + (((chunk * job.dy.blocks + block) * job.in.blocks + in_block) * job.taps + tap) * kUnit);
    }
  }
}

template void weight_gradient<MatrixUnit>(const WeightGradientJob&, int64_t, int64_t, std::byte*);
template void weight_gradient<VectorUnit<DotProducts>>(const WeightGradientJob&, int64_t, int64_t, std::byte*);
template void weight_gradient<VectorUnit<FusedPairs>>(const WeightGradientJob&, int64_t, int64_t, std::byte*);

void sum_weight_gradient(const WeightGradientJob& job, int64_t out_block) {
  const int64_t in_blocks = job.in.blocks, stride = job.dy.blocks * in_blocks * job.taps * kUnit;
  const float* partial = job.partial + out_block * in_blocks * job.taps * kUnit;
  for (int64_t o = 0; o < std::min(kSide, job.out - out_block * kSide); ++o)
    for (int64_t tap = 0; tap < job.taps; ++tap)
      for (int64_t block = 0; block < in_blocks; ++block) {
        Row sum = load_row(partial + (block * job.taps + tap) * kUnit + o * kSide);
        for (int64_t chunk = 1; chunk < job.chunks; ++chunk)
          sum = sum + load_row(partial + chunk * stride + (block * job.taps + tap) * kUnit + o * kSide);
        // Back to the channels' order: lanes of four alternate between the two halves.
        const __m512i first = _mm512_set_epi32(23, 22, 21, 20, 7, 6, 5, 4, 19, 18, 17, 16, 3, 2, 1, 0);
        const __m512i second = _mm512_add_epi32(first, _mm512_set1_epi32(8));
        const auto some = static_cast<uint32_t>((uint64_t{1} << std::min(kSide, job.columns - block * kSide)) - 1);
        float* to = job.gradient + ((out_block * kSide + o) * job.taps + tap) * job.columns + block * kSide;
        _mm512_mask_storeu_ps(to, static_cast<__mmask16>(some), _mm512_permutex2var_ps(sum.low, first, sum.high));
        _mm512_mask_storeu_ps(to + 16, static_cast<__mmask16>(some >> 16),
                              _mm512_permutex2var_ps(sum.low, second, sum.high));
      }
}

}  // namespace signstep::amx::fast

SIGNSTEP_AMX_END
