// SPDX-License-Identifier: Apache-2.0
// A network as this engine computes it: a stem, residual blocks of two 3x3 convolutions, the mean over all pixels, the
// last layer.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "signstep/nn/network.h"

namespace signstep::amx {

// A convolution with the norm that follows it, by the prefixes of their tensors' names.
struct ConvNorm {
  std::string conv, norm;
  int64_t kernel = 0, stride = 1;
};

struct BlockPlan {
  ConvNorm conv1, conv2;
  std::optional<ConvNorm> projection;  // a 1x1 convolution as the shortcut
  int64_t pad_stride = 0;              // above 0: the shortcut is Layer::Kind::kPad
};

struct NetworkPlan {
  ConvNorm stem;
  std::vector<BlockPlan> blocks;
  int64_t features = 0;  // of the last layer
};

// Nothing where the layers are not of that form.
std::optional<NetworkPlan> plan_network(const Network& network);

}  // namespace signstep::amx
