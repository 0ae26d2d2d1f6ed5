// SPDX-License-Identifier: Apache-2.0
// Where a tensor lies in a flat buffer, and what it holds at first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace signstep {

enum class Init {
  kZero,
  kOne,
  kNormal,   // times `spread`, the std
  kUniform,  // in +-`spread`
};

// In the flat buffers a convolution lies with its input channels innermost, (out, height, width, in), as every engine
// computes it; shape and files have torchvision's order. All other tensors lie row-major.
struct TensorInfo {
  std::string name;            // "layer2.0.downsample.0.weight"
  std::vector<int64_t> shape;  // convolutions: (out, in, height, width)
  size_t offset = 0;           // first element in the flat buffer; a multiple of 64
  size_t size = 0;             // elements
  Init init = Init::kZero;
  double spread = 0;
};

// One tensor of a flat buffer in the order of its shape, and back.
std::vector<float> row_major(const TensorInfo& tensor, std::span<const float> flat);
void store_row_major(const TensorInfo& tensor, std::span<const float> values, std::span<float> flat);

}  // namespace signstep
