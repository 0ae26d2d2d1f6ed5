// SPDX-License-Identifier: Apache-2.0
// The SGD phase as a plain loop: the specification that sgd_kernel.cc is held against, bit for bit.
#include <algorithm>

#include "signstep/kernels/sgd_element.h"

namespace signstep {

void sgd_elements_ref(const SgdBlock& b, size_t begin, size_t end, SgdSums& sums) {
  for (size_t i = begin; i < end; ++i) {
    SgdElement e{b.x[i], b.g[i], b.d != nullptr ? b.d[i] : 0};
    if (!sgd_element(b, e)) {
      ++sums.nonfinite;
      continue;
    }
    if (b.products) {
      const double v = b.v_is_momentum ? e.d : e.g;
      sums.v_dot_v.add(i, v * v);
    }
    b.x[i] = e.x;
    if (b.d != nullptr) b.d[i] = e.d;
  }
}

void sgd_range_ref(const SgdBlock& b, size_t begin, size_t end, StepStatistics& partial) {
  for (size_t block = begin; block < end; block += kBlockElements) {
    const size_t block_end = std::min(block + kBlockElements, end);
    SgdSums sums;
    sgd_elements_ref(b, block, block_end, sums);
    sums.add_to(partial, block_end - block);
  }
}

void sgd_phase_step_ref(std::span<const StepTensor> tensors, const SgdPhaseStep& step,
                        std::span<StepStatistics> statistics) {
  for (size_t t = 0; t < tensors.size(); ++t) {
    const SgdBlock b(tensors[t], step);
    statistics[t] = {};
    for (size_t begin = 0; begin < tensors[t].n; begin += kPartialElements) {
      StepStatistics partial;
      sgd_range_ref(b, begin, std::min(begin + kPartialElements, tensors[t].n), partial);
      statistics[t] += partial;
    }
  }
}

}  // namespace signstep
