// SPDX-License-Identifier: Apache-2.0
// A network for evaluation as ONNX's graph (github.com/onnx/onnx: onnx/onnx.proto, docs/IR.md, docs/Operators.md),
// operators of set 13.
#pragma once

#include <string>

#include "signstep/export/format.h"

namespace signstep {

// The bytes of a ModelProto. Input "images", float32 (N, channels, height, width), normalised as the network was
// trained; output "logits", (N, classes). `about` becomes the model's metadata. Throws OptionError for a network
// without running statistics, and for tensors that are not those of its layers.
std::string onnx_model(const TrainedNetwork& network);

}  // namespace signstep
