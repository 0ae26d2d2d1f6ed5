// SPDX-License-Identifier: Apache-2.0
#include "signstep/random/random.h"

#include <cmath>
#include <numbers>

#include "signstep/base/error.h"

namespace signstep {

Stream::Stream(uint64_t seed, Purpose purpose, uint64_t step, uint32_t tensor, uint32_t rank)
    : key_{static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)} {
  if (tensor >= (1u << 24) || step >= kMostSteps || rank > 0xFFFF) {
    throw OptionError(fmt::format(
        "random stream out of range: tensor {}, step {}, rank {}; wanted tensor < 2^24, step < 2^48, rank < 2^16; "
        "split the tensor list or the run",
        tensor, step, rank));
  }
  counter_ = {0, static_cast<uint32_t>(step), tensor << 8 | static_cast<uint32_t>(purpose),
              rank << 16 | static_cast<uint32_t>(step >> 32)};
}

uint32_t SequentialRandom::next() {
  if (position_ % 4 == 0) words_ = stream_.group(static_cast<uint32_t>(position_ / 4));
  return words_[position_++ % 4];
}

uint32_t SequentialRandom::below(uint32_t bound) {
  uint64_t product = uint64_t{next()} * bound;
  const uint32_t threshold = (0u - bound) % bound;
  while (static_cast<uint32_t>(product) < threshold) product = uint64_t{next()} * bound;
  return static_cast<uint32_t>(product >> 32);
}

double SequentialRandom::uniform() {
  const uint64_t high = next(), low = next();
  return static_cast<double>((high << 32 | low) >> 11) * 0x1p-53;
}

double SequentialRandom::normal() {
  const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
  return radius * std::cos(2.0 * std::numbers::pi * uniform());
}

}  // namespace signstep
