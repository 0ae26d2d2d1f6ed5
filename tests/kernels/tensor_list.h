// SPDX-License-Identifier: Apache-2.0
// A list of tensors with awkward lengths, starts and values, for tests that compare two kernels on equal inputs.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include "signstep/kernels/lane_sums.h"
#include "signstep/kernels/step.h"
#include "signstep/random/random.h"

namespace signstep {

// Lengths 0 to three vectors of 16, and around the boundaries of chunks, blocks and partials.
inline std::vector<size_t> awkward_lengths() {
  std::vector<size_t> lengths;
  for (size_t n = 0; n <= 48; ++n) lengths.push_back(n);
  for (size_t n : {63, 64, 65, 127, 128, 129, 1000, 4095, 4096, 4097, 3 * 4096 + 17}) lengths.push_back(n);
  lengths.push_back(kPartialElements + 3);
  return lengths;
}

class TensorList {
 public:
  // Starts are unaligned: each tensor begins one float further from alignment than the one before.
  // `special` mixes in zeros, -0, denormals, huge values, infinities and NaN.
  TensorList(const std::vector<size_t>& lengths, uint64_t seed, bool special) : lengths_(lengths) {
    size_t total = 0;
    for (const size_t n : lengths) {
      starts_.push_back(total);
      total += n + 1;
    }
    SequentialRandom random(Stream(seed, Purpose::kInit));
    for (auto* v : {&x, &g, &m}) {
      v->resize(total);
      for (float& value : *v) value = sample(random, special && v != &x);
    }
    maximum.resize(total);
    for (float& value : maximum) value = random.below(16) == 0 ? 0.0f : std::abs(sample(random, false));
  }

  // scaled: with a maximum for each coordinate.
  std::vector<StepTensor> tensors(bool scaled = false) {
    std::vector<StepTensor> list;
    for (size_t t = 0; t < lengths_.size(); ++t) {
      StepTensor tensor;
      tensor.x = x.data() + starts_[t];
      tensor.g = g.data() + starts_[t];
      tensor.m = m.data() + starts_[t];
      tensor.maximum = scaled ? maximum.data() + starts_[t] : nullptr;
      tensor.n = lengths_[t];
      tensor.index = static_cast<uint32_t>(t);
      tensor.decay = t % 3 != 1;
      list.push_back(tensor);
    }
    return list;
  }

  std::vector<float> x, g, m, maximum;

 private:
  static float sample(SequentialRandom& random, bool special) {
    constexpr float kSpecial[] = {0.0f,
                                  -0.0f,
                                  1e-40f,
                                  -1e-45f,
                                  3e38f,
                                  -3e38f,
                                  std::numeric_limits<float>::infinity(),
                                  std::numeric_limits<float>::quiet_NaN()};
    const uint32_t kind = random.below(64);
    if (special && kind < std::size(kSpecial)) return kSpecial[kind];
    // Mantissa and sign at random, exponents around 2^-4: near ties when two of them are averaged.
    return std::bit_cast<float>((random.next() & 0x807FFFFFu) | (123u + random.below(4)) << 23);
  }

  std::vector<size_t> lengths_, starts_;
};

}  // namespace signstep
