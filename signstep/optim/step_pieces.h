// SPDX-License-Identifier: Apache-2.0
// The loops of a rule that works element by element.
#pragma once

#include "signstep/kernels/baseline_stepper.h"
#include "signstep/optim/rule.h"
#include "signstep/parallel/pieces.h"

namespace signstep {

inline StepReport report_of(std::span<const uint64_t> nonfinite) {
  StepReport report;
  for (size_t tensor = nonfinite.size(); tensor-- > 0;) {
    if (nonfinite[tensor] > 0) report.first_nonfinite = tensor;
    report.nonfinite += nonfinite[tensor];
  }
  return report;
}

// piece(begin, end) steps the elements [begin, end) of the flat buffers, all of one tensor, on any thread, and returns
// how many coordinates it left alone.
template <class Piece>
StepReport step_pieces(const RuleStep& step, Piece&& piece) {
  std::vector<uint64_t> nonfinite(step.tensors.size());
  const auto size = [&](size_t tensor) { return step.tensors[tensor].size; };
  sum_pieces(std::span(nonfinite), step.executor, size, [&](size_t tensor, size_t begin, size_t end) {
    const size_t offset = step.tensors[tensor].offset;
    return piece(offset + begin, offset + end);
  });
  return report_of(nonfinite);
}

// The step where the arrays lie in a stepper's memory. The state's buffers are m, then v, as far as there are any.
inline StepReport baseline_pass(const PassStep& s, const BaselineStep& step) {
  const auto array = [&](size_t buffer, size_t offset) {
    return buffer < s.buffers.size() ? s.buffers[buffer] + offset : nullptr;
  };
  std::vector<BaselineTensor> tensors;
  for (const TensorSlot& t : s.tensors)
    tensors.push_back({s.values + t.offset, s.gradients + t.offset, array(0, t.offset), array(1, t.offset), t.size});
  std::vector<uint64_t> nonfinite(tensors.size());
  s.baselines.baseline(tensors, step, nonfinite);
  return report_of(nonfinite);
}

// The same elements of a buffer that a rule may keep: empty where it is.
inline std::span<float> piece_of(std::span<float> buffer, size_t begin, size_t end) {
  return buffer.empty() ? buffer : buffer.subspan(begin, end - begin);
}

}  // namespace signstep
