// SPDX-License-Identifier: Apache-2.0
// Residual networks for small images (He et al. 2016, arXiv 1512.03385), as lists of layers.
#pragma once

#include <cstdint>
#include <vector>

#include "signstep/nn/layer.h"

namespace signstep {

// ResNet-18 with the CIFAR stem, 3x3 at stride 1 and no max-pool: four stages of two blocks, each stage twice as wide
// as the one before, shortcuts by 1x1 convolutions where the shape changes.
std::vector<Layer> resnet18(int64_t width, int64_t input_channels, int64_t classes);

// The CIFAR networks of their section 4.2: three stages of `blocks` blocks, 6 blocks + 2 layers, shortcuts without
// parameters (option A).
std::vector<Layer> cifar_resnet(int64_t blocks, int64_t width, int64_t input_channels, int64_t classes);

}  // namespace signstep
