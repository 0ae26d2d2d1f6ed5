// SPDX-License-Identifier: Apache-2.0
// ResNet-18 for small images (He et al. 2016, arXiv 1512.03385; the CIFAR stem: 3x3, stride 1, no max-pool), as a list
// of tensors. Engines compute it; this file says what there is. Names are torchvision's.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "signstep/base/option.h"

namespace signstep {

enum class NormKind { kBatch, kGroup };

struct NetworkOptions {
  int64_t width = 64;  // channels of the first stage; 64 is the standard network. Multiple of 4.
  NormKind norm = NormKind::kBatch;
};

void describe(OptionList& list, NetworkOptions& options);

// In the flat buffers a convolution lies with its input channels innermost, (out, height, width, in), as every engine
// computes it; shape and files have torchvision's order. All other tensors lie row-major.
struct TensorInfo {
  std::string name;            // "layer2.0.downsample.0.weight"
  std::vector<int64_t> shape;  // convolutions: (out, in, height, width)
  size_t offset = 0;           // first element in the flat buffer; a multiple of 64
  size_t size = 0;             // elements
};

// One tensor of a flat buffer in the order of its shape, and back.
std::vector<float> row_major(const TensorInfo& tensor, std::span<const float> flat);
void store_row_major(const TensorInfo& tensor, std::span<const float> values, std::span<float> flat);

struct NetworkShape {
  NetworkOptions options;
  int64_t input_channels = 3, classes = 10;
  std::vector<TensorInfo> parameters, buffers;  // a tensor's place in its list is its stable index
  size_t parameter_elements = 0;                // flat length, gaps included
  size_t buffer_elements = 0;
  size_t parameter_count() const;  // without gaps: 11,173,962 at width 64, 3 channels, 10 classes
};

// One residual block: stride 1 or 2, with a 1x1 downsampling shortcut where the shape changes.
struct BlockShape {
  std::string prefix;  // "layer2.0"
  int64_t in, out, stride;
  bool downsample() const { return stride != 1 || in != out; }
};
std::vector<BlockShape> resnet18_blocks(int64_t width);

NetworkShape resnet18_shape(const NetworkOptions& options, int64_t input_channels, int64_t classes);

// Groups of a group norm over that many channels: the largest divisor that is at most 32 (Wu, He 2018, arXiv
// 1803.08494).
int64_t norm_groups(int64_t channels);

// torchvision's initial values: convolutions He-normal by fan-out, norms 1 and 0, the last layer uniform in
// +-1/sqrt(fan-in); running means 0, running variances 1. The same seed gives the same weights.
void initialize(const NetworkShape& shape, uint64_t seed, std::span<float> parameters, std::span<float> buffers);

}  // namespace signstep
