// SPDX-License-Identifier: Apache-2.0
// Operands for the amx engine's kernels.
#pragma once

#include <ostream>
#include <vector>

#include "signstep/engines/amx/kernels.h"
#include "signstep/random/random.h"

namespace signstep::amx {

struct Shape {
  int64_t images, in, out, height, width, kernel, stride;
};

inline void PrintTo(const Shape& s, std::ostream* out) {
  *out << s.images << " images, " << s.in << " to " << s.out << " channels, " << s.height << "x" << s.width
       << ", kernel " << s.kernel << ", stride " << s.stride;
}

// A tensor that is 0 beyond the real images and channels, as every tensor of the engine is.
struct Tensor {
  Tensor(int64_t images, int64_t pixels, int64_t channels, uint64_t seed = 0)
      : tiles{blocks_of(images), pixels, blocks_of(channels), nullptr},
        memory(static_cast<size_t>(tiles.size()) * sizeof(Bf16)) {
    tiles.data = memory.as<Bf16>();
    if (seed == 0) return;
    SequentialRandom random(Stream(seed, Purpose::kProblem));
    for (int64_t n = 0; n < images; ++n)
      for (int64_t p = 0; p < pixels; ++p)
        for (int64_t c = 0; c < channels; ++c) at(n, p, c) = narrow(static_cast<float>(random.normal()));
  }
  Bf16& at(int64_t image, int64_t pixel, int64_t channel) const {
    return tiles.unit(image / kSide, pixel, channel / kSide)[image % kSide * kSide + channel % kSide];
  }
  Tiles tiles;
  Arena memory;
};

inline std::vector<float> random_floats(size_t count, uint64_t seed) {
  SequentialRandom random(Stream(seed, Purpose::kProblem));
  std::vector<float> out(count);
  for (float& x : out) x = static_cast<float>(random.normal());
  return out;
}

struct Packed {
  Packed(const Kernels& kernels, const std::vector<float>& weights, const Shape& s)
      : forward(bytes(s)), backward(bytes(s)) {
    const PackJob job{weights.data(), s.out, s.in, s.kernel * s.kernel, forward.as<Bf16>(), backward.as<Bf16>()};
    for (int64_t block = 0; block < blocks_of(s.out); ++block) kernels.pack(job, block);
  }
  static size_t bytes(const Shape& s) {
    return static_cast<size_t>(packed_size(s.out, s.in, s.kernel * s.kernel)) * sizeof(Bf16);
  }
  Arena forward, backward;
};

}  // namespace signstep::amx
