// SPDX-License-Identifier: Apache-2.0
// An engine that computes nothing: buffers for what reads and writes them.
#pragma once

#include <string>
#include <vector>

#include "signstep/nn/engine.h"

namespace signstep {

// One parameter "w" of two values.
class StillEngine final : public Engine {
 public:
  StillEngine() : Engine(small_shape()), values_(64), gradients_(64) {}
  std::span<float> values() override { return values_; }
  std::span<float> gradients() override { return gradients_; }
  std::span<float> buffers() override { return {}; }
  BatchResult forward_backward(const Batch&) override { return {}; }
  BatchResult evaluate(const Batch&, std::span<float>) override { return {}; }
  Executor& executor() override { return executor_; }
  std::string description() const override { return "still"; }

 private:
  static Network small_shape() {
    Network shape;
    shape.parameters = {{.name = "w", .shape = {2}, .offset = 0, .size = 2}};
    shape.parameter_elements = 64;
    return shape;
  }

  std::vector<float> values_, gradients_;
  SerialExecutor executor_;
};

}  // namespace signstep
