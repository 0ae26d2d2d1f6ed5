// SPDX-License-Identifier: Apache-2.0
// Internal to the kernels: asks the caches for what a loop will read soon. The longer a loop's body, the fewer of its
// reads the processor has under way at once, and its own prefetching does not make up for it: with this hint a third of
// the time of a pass over long arrays went (one thread, AVX-512). It never faults, past the end of an array neither.
#pragma once

#include <hwy/cache_control.h>

#include <cstddef>
#include <cstdint>

namespace signstep {

inline constexpr size_t kPrefetchBytes = 2048;  // 1024 to 4096 measured alike

// The cache lines of kElements floats, kPrefetchBytes after p. Always inlined: g++ 12 takes a function that only
// prefetches for one without any effect, and drops the call.
template <size_t kElements>
HWY_INLINE void prefetch_ahead(const float* p) {
  constexpr size_t kLine = 64;
  const uintptr_t at = reinterpret_cast<uintptr_t>(p) + kPrefetchBytes;
  for (size_t offset = 0; offset < kElements * sizeof(float); offset += kLine)
    hwy::Prefetch(reinterpret_cast<const char*>(at + offset));
}

}  // namespace signstep
