// SPDX-License-Identifier: Apache-2.0
#include "signstep/engines/amx/network_plan.h"

namespace signstep::amx {
namespace {

using Kind = Layer::Kind;

struct UnknownLayers {};

// Reads the list from the front; what does not fit is not for this engine.
class Reader {
 public:
  explicit Reader(const std::vector<Layer>& layers) : layers_(layers) {}

  bool at(Kind kind, bool shortcut = false) const {
    return next_ < layers_.size() && layers_[next_].kind == kind && layers_[next_].shortcut == shortcut;
  }
  const Layer& take(Kind kind, bool shortcut = false) {
    if (!at(kind, shortcut)) throw UnknownLayers{};
    return layers_[next_++];
  }
  ConvNorm conv_norm(int64_t kernel, bool shortcut = false) {
    const Layer& conv = take(Kind::kConv, shortcut);
    if (conv.kernel != kernel) throw UnknownLayers{};
    return {conv.name, take(Kind::kNorm, shortcut).name, kernel, conv.stride};
  }
  bool at_end() const { return next_ == layers_.size(); }

 private:
  const std::vector<Layer>& layers_;
  size_t next_ = 0;
};

BlockPlan read_block(Reader& layers) {
  layers.take(Kind::kFork);
  BlockPlan b{.conv1 = layers.conv_norm(3), .conv2 = {}, .projection = {}};
  layers.take(Kind::kRelu);
  b.conv2 = layers.conv_norm(3);
  if (layers.at(Kind::kConv, true)) b.projection = layers.conv_norm(1, true);
  if (layers.at(Kind::kPad, true)) b.pad_stride = layers.take(Kind::kPad, true).stride;
  layers.take(Kind::kAdd);
  layers.take(Kind::kRelu);
  return b;
}

NetworkPlan read_network(const Network& network) {
  Reader layers(network.layers);
  NetworkPlan plan{.stem = layers.conv_norm(3), .blocks = {}};
  layers.take(Kind::kRelu);
  while (layers.at(Kind::kFork)) plan.blocks.push_back(read_block(layers));
  layers.take(Kind::kMeanPool);
  plan.features = layers.take(Kind::kLinear).in;
  if (!layers.at_end() || plan.blocks.empty() || plan.stem.stride != 1) throw UnknownLayers{};
  return plan;
}

}  // namespace

std::optional<NetworkPlan> plan_network(const Network& network) {
  try {
    return read_network(network);
  } catch (const UnknownLayers&) {
    return std::nullopt;
  }
}

}  // namespace signstep::amx
