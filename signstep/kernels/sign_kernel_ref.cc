// SPDX-License-Identifier: Apache-2.0
// The sign rule as a plain loop: the specification that sign_kernel.cc is held against, bit for bit.
#include <algorithm>

#include "signstep/kernels/sign_element.h"

namespace signstep {
namespace {

// Each draw by its definition.
struct DefinedDraws {
  const SignBlock& b;

  float xi(size_t i) const { return normal_at(b.gaussian, i); }
  bool is_plus(float u, float sigma, size_t i) const {
    const int16_t h = dither_halfword(b.draws, i);
    const uint32_t w = b.refinement.word(i);
    return b.uniform ? uniform_is_plus(u, sigma, h, w) : dither_is_plus(u, sigma, h, w);
  }
};

}  // namespace

void sign_elements_ref(const SignBlock& b, bool measure, size_t begin, size_t end, SignSums& sums) {
  const DefinedDraws draws{b};
  for (size_t i = begin; i < end; ++i) {
    SignElement e;
    e.g = b.g[i];
    if (b.m != nullptr) e.m = b.m[i];
    if (!average_element(b, measure, draws, i, e)) {
      ++sums.nonfinite;
      continue;
    }
    const double square = b.square_of_gradient ? e.g : e.u;
    if (b.sums != StepSums::kNone) sums.u_dot_u.add(i, square * square);
    if (measure) continue;

    e.x = b.x[i];
    if (b.maximum != nullptr) e.maximum = b.maximum[i];
    step_element(b, draws, i, e);
    if (b.sums == StepSums::kAll) {
      const double v = b.v_is_momentum ? e.m : e.g;
      sums.nonzero += e.s != 0;
      sums.s_dot_v.add(i, e.s * v);  // exact
      sums.v_dot_v.add(i, v * v);
    }
    b.x[i] = e.x;
    if (b.m != nullptr) b.m[i] = e.m;
    if (b.maximum != nullptr) b.maximum[i] = e.maximum;
  }
}

void sign_range_ref(const SignBlock& b, bool measure, size_t begin, size_t end, StepStatistics& partial) {
  for (size_t block = begin; block < end; block += kBlockElements) {
    const size_t block_end = std::min(block + kBlockElements, end);
    SignSums sums;
    sign_elements_ref(b, measure, block, block_end, sums);
    sums.add_to(partial, block_end - block);
  }
}

namespace {

void all_ref(std::span<const StepTensor> tensors, const SignStep& step, bool measure,
             std::span<StepStatistics> statistics) {
  for (size_t t = 0; t < tensors.size(); ++t) {
    const SignBlock b(tensors[t], step);
    statistics[t] = {};
    for (size_t begin = 0; begin < tensors[t].n; begin += kPartialElements) {
      StepStatistics partial;
      sign_range_ref(b, measure, begin, std::min(begin + kPartialElements, tensors[t].n), partial);
      statistics[t] += partial;
    }
  }
}

}  // namespace

void sign_step_ref(std::span<const StepTensor> tensors, const SignStep& step, std::span<StepStatistics> statistics) {
  all_ref(tensors, step, false, statistics);
}

void sign_measure_ref(std::span<const StepTensor> tensors, const SignStep& step, std::span<StepStatistics> statistics) {
  SignStep measure = step;
  measure.sums = StepSums::kSquare;
  all_ref(tensors, measure, true, statistics);
}

}  // namespace signstep
