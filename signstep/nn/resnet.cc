// SPDX-License-Identifier: Apache-2.0
#include "signstep/nn/resnet.h"

#include <fmt/format.h>

namespace signstep {
namespace {

using Kind = Layer::Kind;

enum class Shortcut { kProjection, kPad };

void conv_norm(std::vector<Layer>& layers, const std::string& conv, const std::string& norm, int64_t in, int64_t out,
               int64_t kernel, int64_t stride, bool shortcut = false) {
  layers.push_back({.kind = Kind::kConv,
                    .name = conv,
                    .in = in,
                    .out = out,
                    .kernel = kernel,
                    .stride = stride,
                    .shortcut = shortcut});
  layers.push_back({.kind = Kind::kNorm, .name = norm, .in = out, .out = out, .shortcut = shortcut});
}

void block(std::vector<Layer>& layers, const std::string& name, int64_t in, int64_t out, int64_t stride,
           Shortcut shortcut) {
  layers.push_back({.kind = Kind::kFork, .in = in, .out = in});
  conv_norm(layers, name + ".conv1", name + ".bn1", in, out, 3, stride);
  layers.push_back({.kind = Kind::kRelu, .in = out, .out = out});
  conv_norm(layers, name + ".conv2", name + ".bn2", out, out, 3, 1);
  if (stride != 1 || in != out) {
    if (shortcut == Shortcut::kProjection) {
      conv_norm(layers, name + ".downsample.0", name + ".downsample.1", in, out, 1, stride, true);
    } else {
      layers.push_back({.kind = Kind::kPad, .in = in, .out = out, .stride = stride, .shortcut = true});
    }
  }
  layers.push_back({.kind = Kind::kAdd, .in = out, .out = out});
  layers.push_back({.kind = Kind::kRelu, .in = out, .out = out});
}

std::vector<Layer> residual(int stages, int64_t blocks, Shortcut shortcut, int64_t width, int64_t input_channels,
                            int64_t classes) {
  std::vector<Layer> layers;
  conv_norm(layers, "conv1", "bn1", input_channels, width, 3, 1);
  layers.push_back({.kind = Kind::kRelu, .in = width, .out = width});
  int64_t in = width;
  for (int stage = 0; stage < stages; ++stage) {
    const int64_t out = width << stage;
    for (int64_t b = 0; b < blocks; ++b) {
      block(layers, fmt::format("layer{}.{}", stage + 1, b), in, out, stage > 0 && b == 0 ? 2 : 1, shortcut);
      in = out;
    }
  }
  layers.push_back({.kind = Kind::kMeanPool, .in = in, .out = in});
  layers.push_back({.kind = Kind::kLinear, .name = "fc", .in = in, .out = classes});
  return layers;
}

}  // namespace

std::vector<Layer> resnet18(int64_t width, int64_t input_channels, int64_t classes) {
  return residual(4, 2, Shortcut::kProjection, width, input_channels, classes);
}

std::vector<Layer> cifar_resnet(int64_t blocks, int64_t width, int64_t input_channels, int64_t classes) {
  return residual(3, blocks, Shortcut::kPad, width, input_channels, classes);
}

}  // namespace signstep
