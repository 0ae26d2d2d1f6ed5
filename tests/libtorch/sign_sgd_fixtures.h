// SPDX-License-Identifier: Apache-2.0
// Small parameters with gradients of the test's choice.
#pragma once

#include <gmock/gmock.h>
#include <torch/torch.h>

#include "signstep/base/error.h"
#include "signstep/libtorch/sign_sgd.h"

namespace signstep {

inline at::Tensor leaf(const at::Tensor& value) { return value.detach().requires_grad_(true); }

inline void set_gradient(at::Tensor& parameter, const at::Tensor& gradient) { parameter.mutable_grad() = gradient; }

// Plain options: no decay, which Signum would have by default.
inline SignSGDOptions plain(OptimizerKind kind, double lr = 1) {
  SignSGDOptions o(lr);
  o.rule.optimizer = kind;
  o.rule.decoupled_weight_decay = 0.0;
  return o;
}

// Relative dither and a switch after 6 of 20 steps, blended over 4.
inline SignSGDOptions everything(OptimizerKind kind = OptimizerKind::kSignum) {
  SignSGDOptions o(0.01);
  o.rule.optimizer = kind;
  o.rule.zero = ZeroPolicy::kRandom;
  o.dither.dither = DitherKind::kRelative;
  o.switching.switch_when = SwitchWhen::kAt;
  o.switching.switch_step = 6;
  o.switching.switch_blend = 4;
  if (kind == OptimizerKind::kSignSgd) o.switching.switch_calibrate_from = 0.1;
  o.seed = 5;
  o.total_steps = 20;
  return o;
}

template <class E>
std::string message(const std::function<void()>& f) {
  try {
    f();
  } catch (const E& e) {
    return e.what();
  }
  return "no error";
}

}  // namespace signstep
