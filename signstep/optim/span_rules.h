// SPDX-License-Identifier: Apache-2.0
// SGD and Adam on plain spans (the sign rules are core/sign_kernel.h): x is stepped in place, g is only read, m and v
// are state. All spans have one length. A coordinate whose gradient is NaN or infinite takes no step, leaves its state
// alone and is counted; every rule returns that count. Elementwise, so any cutting into pieces gives the same bits. The
// scalar form is the specification.
#pragma once

#include <cstdint>
#include <span>

namespace signstep {

//   h = g + l2 x;  m = momentum m + h;  x = keep x - lr (h + momentum m if nesterov, else m)
// PyTorch's heavy ball without dampening (Sutskever et al. 2013). m may be empty when momentum is 0.
struct SgdRule {
  float lr, momentum, l2, keep;
  bool nesterov;
};
uint64_t sgd_step(const SgdRule& rule, std::span<float> x, std::span<const float> g, std::span<float> m);

//   h = g + l2 x;  m = beta1 m + (1 - beta1) h;  v = beta2 v + (1 - beta2) h^2
//   x = keep x - lr / correction1 * m / (sqrt(v) / sqrt(correction2) + epsilon),  correction_i = 1 - beta_i^t, t >= 1
// Adam (Kingma, Ba 2015, arXiv 1412.6980): keep = 1. AdamW (Loshchilov, Hutter 2019, arXiv 1711.05101): l2 = 0.
struct AdamRule {
  float lr;
  double beta1, beta2;
  float epsilon, l2, keep;
  double correction1, correction2;
};
uint64_t adam_step(const AdamRule& rule, std::span<float> x, std::span<const float> g, std::span<float> m,
                   std::span<float> v);

}  // namespace signstep
