// SPDX-License-Identifier: Apache-2.0
// Which networks there are, and what one of them is: its layers, and its tensors in flat buffers. Engines compute it;
// this file says what there is. Names of tensors are torchvision's.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "signstep/base/option.h"
#include "signstep/nn/layer.h"
#include "signstep/nn/tensor_info.h"

namespace signstep {

struct NetworkOptions {
  std::string name = "resnet18";  // of one in network_names()
  int64_t width = 0;              // channels of the first stage, a multiple of 4; 0: the network's own
  NormKind norm = NormKind::kBatch;
};

void describe(OptionList& list, NetworkOptions& options);

const std::vector<std::string>& network_names();

// With the network's own width where none is given. Throws OptionError for an unknown name, and for a width that is no
// multiple of 4.
NetworkOptions resolved(NetworkOptions options);

struct Network {
  NetworkOptions options;    // resolved
  std::string display_name;  // "ResNet-18"
  int64_t input_channels = 3, classes = 10;
  std::vector<Layer> layers;
  std::vector<TensorInfo> parameters, buffers;  // a tensor's place in its list is its stable index
  size_t parameter_elements = 0;                // flat length, gaps included
  size_t buffer_elements = 0;
  size_t parameter_count() const;  // without gaps: 11,173,962 of resnet18 at width 64, 3 channels, 10 classes
};

// Throws what resolved throws.
Network make_network(const NetworkOptions& options, int64_t input_channels, int64_t classes);

// Groups of a group norm over that many channels: the largest divisor that is at most 32 (Wu, He 2018, arXiv
// 1803.08494).
int64_t norm_groups(int64_t channels);

// Parameters and buffers by their Init; gaps are 0. The same seed gives the same weights.
void initialize(const Network& network, uint64_t seed, std::span<float> parameters, std::span<float> buffers);

}  // namespace signstep
