// SPDX-License-Identifier: Apache-2.0
// Master weights to the matrix unit's operands, both directions in one read.
#include "signstep/engines/amx/fast_kernels.h"
#include "signstep/engines/amx/transpose-inl.h"

SIGNSTEP_AMX_BEGIN

namespace signstep::amx::fast {

void pack(const PackJob& job, int64_t out_block) {
  const int64_t out_blocks = blocks_of(job.out), in_blocks = blocks_of(job.in);
  const int64_t rows = std::min(kSide, job.out - out_block * kSide);
  alignas(64) Bf16 unit[kUnit];  // 32 results x 32 summed channels
  for (int64_t tap = 0; tap < job.taps; ++tap)
    for (int64_t block = 0; block < in_blocks; ++block) {
      const int64_t columns = std::min(kSide, job.in - block * kSide);
      const auto some = static_cast<uint32_t>((uint64_t{1} << columns) - 1);
      for (int64_t o = 0; o < kSide; ++o) {
        const bool real = o < rows;
        const float* from =
            job.weights + (((out_block * kSide + (real ? o : 0)) * job.taps + tap) * job.in + block * kSide);
        const __mmask16 low = real ? static_cast<__mmask16>(some) : __mmask16{0};
        const __mmask16 high = real ? static_cast<__mmask16>(some >> 16) : __mmask16{0};
        narrow_row(unit + o * kSide, _mm512_maskz_loadu_ps(low, from), _mm512_maskz_loadu_ps(high, from + 16));
      }
      Bf16* forward = job.forward + ((out_block * job.taps + tap) * in_blocks + block) * kUnit;
      for (int64_t half = 0; half < 2; ++half) {
        __m512i r[16];
        for (int64_t o = 0; o < 16; ++o) r[o] = _mm512_load_si512(unit + (half * 16 + o) * kSide);
        transpose(r);
        for (int64_t j = 0; j < 16; ++j) _mm512_store_si512(forward + half * 512 + j * kSide, r[j]);
      }
      if (job.backward == nullptr) continue;
      // Rows 2 j and 2 j + 1 in pairs; the two permutations take columns 0 to 15 and 16 to 31.
      Bf16* backward = job.backward + ((block * job.taps + tap) * out_blocks + out_block) * kUnit;
      for (int64_t j = 0; j < 16; ++j) {
        const __m512i a = _mm512_load_si512(unit + 2 * j * kSide), b = _mm512_load_si512(unit + (2 * j + 1) * kSide);
        const __m512i low = _mm512_unpacklo_epi16(a, b), high = _mm512_unpackhi_epi16(a, b);
        const __m512i even = _mm512_set_epi64(11, 10, 3, 2, 9, 8, 1, 0),
                      odd = _mm512_set_epi64(15, 14, 7, 6, 13, 12, 5, 4);
        _mm512_store_si512(backward + j * kSide, _mm512_permutex2var_epi64(low, even, high));
        _mm512_store_si512(backward + 512 + j * kSide, _mm512_permutex2var_epi64(low, odd, high));
      }
    }
}

}  // namespace signstep::amx::fast

SIGNSTEP_AMX_END
