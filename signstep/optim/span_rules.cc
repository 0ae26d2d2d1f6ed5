// SPDX-License-Identifier: Apache-2.0
#include "signstep/optim/span_rules.h"

#include <cmath>

namespace signstep {
uint64_t sgd_step(const SgdRule& r, std::span<float> x, std::span<const float> g, std::span<float> m) {
  uint64_t nonfinite = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const bool finite = std::isfinite(g[i]);
    const float h = g[i] + r.l2 * x[i];
    float step = h;
    if (!m.empty()) {
      const float moved = r.momentum * m[i] + h;
      m[i] = finite ? moved : m[i];
      step = r.nesterov ? h + r.momentum * moved : moved;
    }
    x[i] = finite ? r.keep * x[i] - r.lr * step : x[i];
    nonfinite += !finite;
  }
  return nonfinite;
}

uint64_t adam_step(const AdamRule& r, std::span<float> x, std::span<const float> g, std::span<float> m,
                   std::span<float> v) {
  uint64_t nonfinite = 0;
  // Rounded from double: 1 - 0.999f is off by 1e-5 of itself.
  const auto c1 = static_cast<float>(1 - r.beta1), c2 = static_cast<float>(1 - r.beta2);
  const auto b1 = static_cast<float>(r.beta1), b2 = static_cast<float>(r.beta2);
  const auto rate = static_cast<float>(r.lr / r.correction1);
  const auto root = static_cast<float>(std::sqrt(r.correction2));
  for (size_t i = 0; i < x.size(); ++i) {
    const bool finite = std::isfinite(g[i]);
    const float h = g[i] + r.l2 * x[i];
    const float mean = b1 * m[i] + c1 * h, square = b2 * v[i] + c2 * (h * h);
    m[i] = finite ? mean : m[i];
    v[i] = finite ? square : v[i];
    x[i] = finite ? r.keep * x[i] - rate * mean / (std::sqrt(square) / root + r.epsilon) : x[i];
    nonfinite += !finite;
  }
  return nonfinite;
}

}  // namespace signstep
