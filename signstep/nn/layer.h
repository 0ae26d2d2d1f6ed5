// SPDX-License-Identifier: Apache-2.0
// A network as data: the list of its layers in the order in which they are computed. An engine interprets the list, or
// says what in it it cannot do.
#pragma once

#include <cstdint>
#include <string>

namespace signstep {

enum class NormKind { kBatch, kGroup };

struct Layer {
  enum class Kind {
    kConv,      // without bias, padded by kernel / 2
    kNorm,      // batch or group norm over `out` channels
    kRelu,      // max(x, 0)
    kFork,      // keeps x beside itself, as what a shortcut carries
    kPad,       // every stride-th row and column; channels from in to out are 0 (He et al. 2016, option A)
    kAdd,       // adds what the last fork kept
    kMeanPool,  // over all pixels
    kLinear,    // with bias
  };
  Kind kind;
  std::string name = {};  // of its tensors, before ".weight"
  int64_t in = 0, out = 0;
  int64_t kernel = 1, stride = 1;
  bool shortcut = false;  // acts on what the last fork kept instead of x
};

}  // namespace signstep
