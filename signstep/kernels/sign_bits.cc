// SPDX-License-Identifier: Apache-2.0
// Packing and unpacking in vectors, a word of 64 elements at a time. Words that hold a zero, a NaN or an infinity look
// at a coin; the last, partial word is the reference's.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "signstep/kernels/sign_bits.cc"
#include <hwy/foreach_target.h>
// foreach_target.h must come first
#include <hwy/highway.h>

#include <hwy/cache_control.h>

#include <bit>

#include "signstep/kernels/pack_word.h"

HWY_BEFORE_NAMESPACE();
namespace signstep {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET != HWY_SCALAR && !HWY_HAVE_SCALABLE

using DF = hn::CappedTag<float, 16>;
constexpr size_t kN = HWY_MIN(HWY_LANES(float), 16);

HWY_INLINE uint64_t bits_of(hn::Mask<DF> mask) {
  HWY_ALIGN uint8_t bytes[8] = {};
  hn::StoreMaskBits(DF(), mask, bytes);
  uint64_t bits = 0;
  hwy::CopyBytes<8>(bytes, &bits);
  return bits;
}

// Words [begin, end), all of them whole.
uint64_t PackSigns(const float* values, size_t begin, size_t end, ZeroPolicy zero_policy, const Stream& coins,
                   uint64_t* out) {
  const DF d;
  const auto zero = hn::Zero(d);
  const bool random_zeros = zero_policy == ZeroPolicy::kRandom;
  uint64_t nonfinite_count = 0;
  for (size_t w = begin; w < end; ++w) {
    uint64_t plus = 0, zeros = 0, nonfinite = 0;
    for (size_t j = 0; j < 64; j += kN) {
      const auto v = hn::LoadU(d, values + 64 * w + j);
      plus |= bits_of(hn::Gt(v, zero)) << j;
      zeros |= bits_of(hn::Eq(v, zero)) << j;
      nonfinite |= bits_of(hn::Not(hn::IsFinite(v))) << j;
    }
    nonfinite_count += static_cast<uint64_t>(std::popcount(nonfinite));
    if (!random_zeros) plus |= zeros;
    const uint64_t by_coin = random_zeros ? zeros | nonfinite : nonfinite;
    if (HWY_UNLIKELY(by_coin != 0)) plus = (plus & ~by_coin) | (zero_coins(coins, w) & by_coin);
    out[w] = plus;
  }
  return nonfinite_count;
}

// kStream: past the caches, from an address that is a multiple of a vector's bytes.
template <bool kStream>
void unpack(const uint64_t* words, size_t begin, size_t end, float* values) {
  const DF d;
  const auto one = hn::Set(d, 1.0f), minus_one = hn::Set(d, -1.0f);
  for (size_t w = begin; w < end; ++w) {
    for (size_t j = 0; j < 64; j += kN) {
      const uint64_t bits = words[w] >> j;
      HWY_ALIGN uint8_t bytes[8];
      hwy::CopyBytes<8>(&bits, bytes);
      const auto signs = hn::IfThenElse(hn::LoadMaskBits(d, bytes), one, minus_one);
      if constexpr (kStream)
        hn::Stream(signs, d, values + 64 * w + j);
      else
        hn::StoreU(signs, d, values + 64 * w + j);
    }
  }
  if constexpr (kStream) hwy::FlushStream();
}

void UnpackSigns(const uint64_t* words, size_t begin, size_t end, float* values, bool stream) {
  if (stream && reinterpret_cast<uintptr_t>(values) % (kN * sizeof(float)) == 0)
    unpack<true>(words, begin, end, values);
  else
    unpack<false>(words, begin, end, values);
}

void ApplySigns(const uint64_t* words, float lr, float decay_factor, size_t begin, size_t end, float* x) {
  const DF d;
  const auto plus = hn::Set(d, lr), minus = hn::Set(d, -lr), k = hn::Set(d, decay_factor);
  for (size_t w = begin; w < end; ++w) {
    for (size_t j = 0; j < 64; j += kN) {
      const uint64_t bits = words[w] >> j;
      HWY_ALIGN uint8_t bytes[8];
      hwy::CopyBytes<8>(&bits, bytes);
      float* const at = x + 64 * w + j;
      const auto step = hn::IfThenElse(hn::LoadMaskBits(d, bytes), plus, minus);
      hn::StoreU(hn::Sub(hn::Mul(k, hn::LoadU(d, at)), step), d, at);
    }
  }
}

#else

void ApplySigns(const uint64_t* words, float lr, float decay_factor, size_t begin, size_t end, float* x) {
  apply_signs_ref({words + begin, end - begin}, lr, decay_factor, {x + 64 * begin, 64 * (end - begin)});
}

uint64_t PackSigns(const float* values, size_t begin, size_t end, ZeroPolicy zero_policy, const Stream& coins,
                   uint64_t* out) {
  uint64_t nonfinite = 0;
  for (size_t w = begin; w < end; ++w) out[w] = pack_word_ref(values + 64 * w, 64, w, zero_policy, coins, nonfinite);
  return nonfinite;
}

void UnpackSigns(const uint64_t* words, size_t begin, size_t end, float* values, bool) {
  unpack_signs_ref({words + begin, end - begin}, {values + 64 * begin, 64 * (end - begin)});
}

#endif

}  // namespace HWY_NAMESPACE
}  // namespace signstep
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <cassert>

#include "signstep/base/float_environment.h"
#include "signstep/parallel/pieces.h"

namespace signstep {
// An array of 8 MiB is out of the cache of a core before it is read again; a store that first fetches the line costs
// twice its bytes.
constexpr size_t kStreamFrom = size_t{1} << 21;

HWY_EXPORT(PackSigns);
HWY_EXPORT(UnpackSigns);
HWY_EXPORT(ApplySigns);

uint64_t pack_signs(std::span<const float> values, ZeroPolicy zero, const Stream& coins, std::span<uint64_t> words,
                    Executor& executor) {
  assert(zero != ZeroPolicy::kSkip && words.size() == sign_words(values.size()));
  const SpecifiedFloats floats;
  const auto run = HWY_DYNAMIC_DISPATCH(PackSigns);
  const size_t whole = values.size() / 64, rest = values.size() % 64;
  uint64_t nonfinite = sum_pieces<uint64_t>(64 * whole, executor, [&](size_t begin, size_t end) {
    return run(values.data(), begin / 64, end / 64, zero, coins, words.data());
  });
  if (rest != 0) words[whole] = pack_word_ref(values.data() + 64 * whole, rest, whole, zero, coins, nonfinite);
  return nonfinite;
}

void unpack_signs(std::span<const uint64_t> words, std::span<float> values, Executor& executor) {
  assert(words.size() >= sign_words(values.size()));
  const auto run = HWY_DYNAMIC_DISPATCH(UnpackSigns);
  const size_t whole = values.size() / 64;
  const bool stream = values.size() >= kStreamFrom;
  for_each_piece(64 * whole, executor,
                 [&](size_t begin, size_t end) { run(words.data(), begin / 64, end / 64, values.data(), stream); });
  unpack_signs_ref(words.subspan(whole), values.subspan(64 * whole));
}

void apply_signs(std::span<const uint64_t> words, double lr, double decay_factor, std::span<float> x,
                 Executor& executor) {
  assert(words.size() >= sign_words(x.size()));
  const SpecifiedFloats floats;
  const auto run = HWY_DYNAMIC_DISPATCH(ApplySigns);
  const auto rate = static_cast<float>(lr), k = static_cast<float>(decay_factor);
  const size_t whole = x.size() / 64;
  for_each_piece(64 * whole, executor,
                 [&](size_t begin, size_t end) { run(words.data(), rate, k, begin / 64, end / 64, x.data()); });
  apply_signs_ref(words.subspan(whole), lr, decay_factor, x.subspan(64 * whole));
}

}  // namespace signstep
#endif
