// SPDX-License-Identifier: Apache-2.0
// A product of two units by the vector unit: sums of some rows stay in registers over all terms. A pair of values of
// the first operand is broadcast, a row of pairs of the second loaded: for 12 rows and both halves 14 loads for 24
// products.
#pragma once

#include "signstep/engines/amx/amx_target.h"
#include "signstep/engines/amx/kernels.h"

SIGNSTEP_AMX_BEGIN

namespace signstep::amx::fast {

struct EmptyScope {
  ~EmptyScope() {}  // there is nothing to give back
};

// sum += a b over a pair, by the instruction for it (VDPBF16PS).
struct DotProducts {
  using Scope = EmptyScope;

  template <int kRows, int kHalves>
  [[gnu::always_inline]] static void add(__m512 (&sums)[kRows][kHalves], const Bf16* a, const Bf16* b, int64_t pairs) {
    for (int64_t j = 0; j < pairs; ++j) {
      __m512bh columns[kHalves];
#pragma GCC unroll 2
      for (int h = 0; h < kHalves; ++h)
        columns[h] = reinterpret_cast<__m512bh>(_mm512_load_si512(b + h * 512 + j * kSide));
#pragma GCC unroll 24
      for (int r = 0; r < kRows; ++r) {
        int32_t pair;
        __builtin_memcpy(&pair, a + r * kSide + 2 * j, sizeof pair);
        const auto value = reinterpret_cast<__m512bh>(_mm512_set1_epi32(pair));
#pragma GCC unroll 2
        for (int h = 0; h < kHalves; ++h) sums[r][h] = _mm512_dpbf16_ps(sums[r][h], value, columns[h]);
      }
    }
  }
};

// The same bits from two fused multiply-adds: the instruction adds the pair's second product first, rounds each sum to
// nearest, and takes and gives 0 for what is denormal (Intel 64 and IA-32 Architectures Software Developer's Manual,
// volume 2). Intel's processors do them in half of its time, AMD's in twice, and those without the
// instruction have them alone.
struct FusedPairs {
  // Products as the instruction has them, whatever the thread has set, for as long as this lives. What they read and
  // write is in memory, which is what keeps them between the two.
  class Scope {
   public:
    Scope() : before_(_mm_getcsr()) {
      _mm_setcsr(kLikeDotProducts);
      asm volatile("" : : : "memory");
    }
    ~Scope() {
      asm volatile("" : : : "memory");
      _mm_setcsr(before_);
    }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    static constexpr unsigned kLikeDotProducts = 0x9fc0;  // to nearest, nothing trapped, denormals flushed both ways
    const unsigned before_;
  };

  template <int kRows, int kHalves>
  [[gnu::always_inline]] static void add(__m512 (&sums)[kRows][kHalves], const Bf16* a, const Bf16* b, int64_t pairs) {
    // Widened once for all columns, so that each is broadcast from memory and costs the multipliers' ports nothing.
    alignas(64) float firsts[kRows * 16], seconds[kRows * 16];
    for (int64_t r = 0; r < kRows; ++r) {
      const __m512i row = _mm512_load_si512(a + r * kSide);
      _mm512_store_ps(firsts + r * 16, first_of(row));
      _mm512_store_ps(seconds + r * 16, second_of(row));
    }
    for (int64_t j = 0; j < pairs; ++j) {
      __m512 first[kHalves], second[kHalves];
#pragma GCC unroll 2
      for (int h = 0; h < kHalves; ++h) {
        const __m512i columns = _mm512_load_si512(b + h * 512 + j * kSide);
        first[h] = first_of(columns);
        second[h] = second_of(columns);
      }
#pragma GCC unroll 24
      for (int r = 0; r < kRows; ++r) {
        const __m512 by_second = _mm512_set1_ps(seconds[r * 16 + j]), by_first = _mm512_set1_ps(firsts[r * 16 + j]);
#pragma GCC unroll 2
        for (int h = 0; h < kHalves; ++h)
          sums[r][h] = _mm512_fmadd_ps(by_first, first[h], _mm512_fmadd_ps(by_second, second[h], sums[r][h]));
      }
    }
  }

 private:
  static __m512 first_of(__m512i pairs) { return _mm512_castsi512_ps(_mm512_slli_epi32(pairs, 16)); }
  static __m512 second_of(__m512i pairs) {
    return _mm512_castsi512_ps(_mm512_and_si512(pairs, _mm512_set1_epi32(static_cast<int>(0xffff0000))));
  }
};

// kRows rows of a 32 x 32 matrix of sums, of its first 16 columns or of both halves.
template <class Products, int kRows, int kHalves>
class RowSums {
 public:
  static constexpr bool kOneHalf = kHalves == 1;
  void zero() {
#pragma GCC unroll 24
    for (auto& row : sums_)
#pragma GCC unroll 2
      for (__m512& sum : row) sum = _mm512_setzero_ps();
  }
  void load(const float* c) {
#pragma GCC unroll 24
    for (int r = 0; r < kRows; ++r)
#pragma GCC unroll 2
      for (int h = 0; h < kHalves; ++h) sums_[r][h] = _mm512_loadu_ps(c + r * kSide + h * 16);
  }
  void store(float* c) const {
#pragma GCC unroll 24
    for (int r = 0; r < kRows; ++r)
#pragma GCC unroll 2
      for (int h = 0; h < kHalves; ++h) _mm512_storeu_ps(c + r * kSide + h * 16, sums_[r][h]);
  }
  // Of one half: its columns 0 to 7 and 8 to 15 are the first 8 of either half in memory (see VectorUnit::interleave).
  void load_split(const float* c) {
#pragma GCC unroll 24
    for (int r = 0; r < kRows; ++r)
      sums_[r][0] = _mm512_insertf32x8(_mm512_castps256_ps512(_mm256_loadu_ps(c + r * kSide)),
                                       _mm256_loadu_ps(c + r * kSide + 16), 1);
  }
  void store_split(float* c) const {
#pragma GCC unroll 24
    for (int r = 0; r < kRows; ++r) {
      _mm256_storeu_ps(c + r * kSide, _mm512_castps512_ps256(sums_[r][0]));
      _mm256_storeu_ps(c + r * kSide + 16, _mm512_extractf32x8_ps(sums_[r][0], 1));
    }
  }
  // Adds rows of a unit times a unit of two tiles, over the first `pairs` pairs of summed values.
  [[gnu::always_inline]] void add(const Bf16* a, const Bf16* b, int64_t pairs) { Products::add(sums_, a, b, pairs); }

 private:
  __m512 sums_[kRows][kHalves];
};

// f(empty RowSums, first row) for all of the first `rows` rows; 24 or 16 registers of sums at a time.
template <class Products, class F>
inline void for_each_row_sums(int64_t rows, int64_t columns, F&& f) {
  const typename Products::Scope scope;
  if (columns > 16) {
    for (int64_t r = 0; r < 24 && r < rows; r += 12) f(RowSums<Products, 12, 2>(), r);
    if (rows > 24) f(RowSums<Products, 8, 2>(), 24);
  } else {
    for (int64_t r = 0; r < rows; r += 16) f(RowSums<Products, 16, 1>(), r);
  }
}

// Pairs of a block of summed channels that are not all 0.
inline int64_t pairs_of(int64_t channels, int64_t block) { return channels - block * kSide > 16 ? 16 : 8; }

}  // namespace signstep::amx::fast

SIGNSTEP_AMX_END
