// SPDX-License-Identifier: Apache-2.0
#include "signstep/theory/coordinate_sample.h"

#include <algorithm>
#include <cassert>
#include <set>

#include "signstep/random/random.h"

namespace signstep {
namespace {

// m distinct numbers below n, ascending; each set equally likely (Floyd's algorithm: Bentley, Floyd 1987, CACM 30(9)).
std::set<size_t> choose(size_t m, size_t n, SequentialRandom random) {
  std::set<size_t> chosen;
  for (size_t last = n - m; last < n; ++last) {
    const size_t pick = random.below(static_cast<uint32_t>(last + 1));
    if (!chosen.insert(pick).second) chosen.insert(last);
  }
  return chosen;
}

}  // namespace

CoordinateSample::CoordinateSample(std::span<const TensorRange> tensors, size_t per_tensor, size_t draws, uint64_t seed)
    : capacity_(draws) {
  for (size_t t = 0; t < tensors.size(); ++t) {
    const size_t n = tensors[t].size, m = std::min(per_tensor, n);
    for (const size_t i : choose(m, n, SequentialRandom(Stream(seed, Purpose::kSample, 0, static_cast<uint32_t>(t))))) {
      coordinates_.push_back(tensors[t].offset + i);
      tensors_.push_back(t);
      weights_.push_back(static_cast<double>(n) / static_cast<double>(m));
    }
  }
  values_.resize(coordinates_.size() * capacity_);
}

void CoordinateSample::add(std::span<const float> flat) {
  assert(taken_ < capacity_);
  for (size_t i = 0; i < coordinates_.size(); ++i) values_[i * capacity_ + taken_] = flat[coordinates_[i]];
  ++taken_;
}

}  // namespace signstep
