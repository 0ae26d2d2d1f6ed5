// SPDX-License-Identifier: Apache-2.0
// Internal to the SGD kernel: one tensor's step with everything resolved.
#pragma once

#include "signstep/kernels/lane_sums.h"
#include "signstep/kernels/sgd_kernel.h"

namespace signstep {

struct SgdBlock {
  SgdBlock(const StepTensor& t, const SgdPhaseStep& s)
      : x(t.x),
        g(t.g),
        mu(static_cast<float>(s.mu)),
        one_minus_mu(1.0f - mu),
        d(mu == 0 ? nullptr : t.m),
        rate(static_cast<float>(t.sgd_rate)),
        decay_factor(t.decay ? static_cast<float>(s.decay_factor) : 1.0f),
        l2(t.decay ? static_cast<float>(s.l2) : 0.0f),
        products(s.products),
        v_is_momentum(s.products_with == ProductsWith::kMomentum) {}

  float* x;
  const float* g;
  float mu, one_minus_mu;
  float* d;  // null: d' = h
  float rate, decay_factor, l2;
  bool products, v_is_momentum;
};

struct SgdSums {
  LaneSums v_dot_v;
  uint64_t nonfinite = 0;

  void add_to(StepStatistics& partial, size_t elements) const {
    partial.finite += elements - nonfinite;
    partial.nonfinite += nonfinite;
    partial.v_dot_v += v_dot_v.total();
  }
};

// The specification, element by element and block by block; see sign_block.h.
void sgd_elements_ref(const SgdBlock& b, size_t begin, size_t end, SgdSums& sums);
void sgd_range_ref(const SgdBlock& b, size_t begin, size_t end, StepStatistics& partial);

}  // namespace signstep
