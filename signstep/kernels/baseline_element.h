// SPDX-License-Identifier: Apache-2.0
// SGD's and Adam's step of one element, as the CPU's loops and the CUDA kernels compile it. The equations stand in
// optim/rules/sgd.h and adam.h. An element whose gradient, or whose new state, is NaN or infinite stays as it was, its
// state too.
#pragma once

#include <cmath>

#include "signstep/base/host_device.h"

namespace signstep {

struct HeavyBall {
  float lr, momentum, l2, decay_factor;
  bool nesterov;
};

// What a step of Adam takes, each rounded from double once.
struct AdamNumbers {
  float rate;                             // lr / (1 - beta1^t)
  float beta1, rest1, beta2, rest2;       // rest_i = 1 - beta_i
  float root, epsilon, l2, decay_factor;  // root: of 1 - beta2^t
};

// False for an element that takes no step. Without kMomentum m is not looked at.
template <bool kMomentum>
SIGNSTEP_HD inline bool heavy_ball_element(const HeavyBall& r, float& x, float g, float& m) {
  const float h = g + r.l2 * x;
  const float moved = kMomentum ? r.momentum * m + h : h;
  const float step = kMomentum && r.nesterov ? h + r.momentum * moved : moved;
  const bool finite = is_finite(step);  // so is what it came from
  if (kMomentum) m = finite ? moved : m;
  x = finite ? r.decay_factor * x - r.lr * step : x;
  return finite;
}

SIGNSTEP_HD inline bool adam_element(const AdamNumbers& r, float& x, float g, float& m, float& v) {
  const float h = g + r.l2 * x;
  const float mean = r.beta1 * m + r.rest1 * h, square = r.beta2 * v + r.rest2 * (h * h);
  const bool finite = is_finite(mean) && is_finite(square);
  m = finite ? mean : m;
  v = finite ? square : v;
  x = finite ? r.decay_factor * x - r.rate * mean / (std::sqrt(square) / r.root + r.epsilon) : x;
  return finite;
}

}  // namespace signstep
