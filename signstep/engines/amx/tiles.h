// SPDX-License-Identifier: Apache-2.0
// How the engine lays out activations: in units of 32 images x 32 channels of bf16, which is two of the matrix unit's
// own tiles (16 rows of 64 bytes). A kernel tap is then another pixel index, padding is a tap left out, and no im2col
// exists. Images and channels beyond the real ones are 0 in every tensor.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace signstep::amx {

using Bf16 = uint16_t;

inline constexpr int64_t kSide = 32;             // images, and channels, of a unit
inline constexpr int64_t kUnit = kSide * kSide;  // values; 2 KiB, row-major, a row is an image

inline int64_t blocks_of(int64_t count) { return (count + kSide - 1) / kSide; }

// [group of 32 images][pixel][block of 32 channels], a unit each. Owns nothing.
struct Tiles {
  int64_t groups = 0, pixels = 0, blocks = 0;
  Bf16* data = nullptr;

  Bf16* unit(int64_t group, int64_t pixel, int64_t block) const {
    return data + ((group * pixels + pixel) * blocks + block) * kUnit;
  }
  int64_t size() const { return groups * pixels * blocks * kUnit; }
};

// Rows of a group's units that are images; the rest is padding.
inline int64_t valid_rows(int64_t images, int64_t group) {
  return std::clamp<int64_t>(images - group * kSide, 0, kSide);
}

// Zeroed memory on whole huge pages where the system gives them: a layer's tensors span thousands of small ones.
class Arena {
 public:
  Arena() = default;
  explicit Arena(size_t bytes);  // throws std::bad_alloc
  template <class T>
  T* as() const {
    return static_cast<T*>(memory_.get());
  }

 private:
  struct Free {
    void operator()(void* p) const;
  };
  std::unique_ptr<void, Free> memory_;
};

inline float widen(Bf16 x) { return __builtin_bit_cast(float, static_cast<uint32_t>(x) << 16); }

// To nearest, ties to even; NaN stays NaN.
inline Bf16 narrow(float x) {
  const uint32_t bits = __builtin_bit_cast(uint32_t, x);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return static_cast<Bf16>(bits >> 16 | 0x40u);
  return static_cast<Bf16>((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
}

}  // namespace signstep::amx
