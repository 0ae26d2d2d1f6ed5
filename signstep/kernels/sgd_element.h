// SPDX-License-Identifier: Apache-2.0
// The SGD phase's step of one element, as the scalar reference and the CUDA kernels compile it.
#pragma once

#include "signstep/base/host_device.h"
#include "signstep/kernels/sgd_block.h"

namespace signstep {

struct SgdElement {
  float x, g, d;
};

// False for an element that takes no step; it is as it was.
SIGNSTEP_HD inline bool sgd_element(const SgdBlock& b, SgdElement& e) {
  const float h = b.l2 != 0 ? e.g + b.l2 * e.x : e.g;
  const float d = b.d != nullptr ? b.mu * e.d + b.one_minus_mu * h : h;
  if (!is_finite(d)) return false;
  e.x = b.decay_factor * e.x - b.rate * d;
  e.d = d;
  return true;
}

}  // namespace signstep
