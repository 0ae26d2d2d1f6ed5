// SPDX-License-Identifier: Apache-2.0
// A seeded sample of coordinates of each tensor that keeps its draws: what needs the whole law of a coordinate, and not
// its moments alone, is computed on it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace signstep {

// A tensor's place in a flat vector.
struct TensorRange {
  size_t offset = 0, size = 0;
};

class CoordinateSample {
 public:
  // min(per_tensor, size) distinct coordinates of each tensor, uniformly, a function of (seed, tensor index) alone.
  // Memory: 4 bytes a coordinate and draw.
  CoordinateSample(std::span<const TensorRange> tensors, size_t per_tensor, size_t draws, uint64_t seed);

  // The next draw; flat vector of all tensors. Not beyond the number of draws stated.
  void add(std::span<const float> flat);

  size_t size() const { return coordinates_.size(); }
  size_t coordinate(size_t i) const { return coordinates_[i]; }  // in the flat vector; ascending within a tensor
  size_t tensor(size_t i) const { return tensors_[i]; }
  double weight(size_t i) const { return weights_[i]; }  // coordinates of the tensor that it stands for
  std::span<const float> draws(size_t i) const { return {values_.data() + i * capacity_, taken_}; }

 private:
  size_t capacity_, taken_ = 0;
  std::vector<size_t> coordinates_, tensors_;
  std::vector<double> weights_;
  std::vector<float> values_;  // coordinate by coordinate
};

}  // namespace signstep
