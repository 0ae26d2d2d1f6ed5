// SPDX-License-Identifier: Apache-2.0
// The loop of a rule that works element by element.
#pragma once

#include "signstep/optim/rule.h"
#include "signstep/parallel/pieces.h"

namespace signstep {

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
  StepReport report;
  for (size_t tensor = nonfinite.size(); tensor-- > 0;) {
    if (nonfinite[tensor] > 0) report.first_nonfinite = tensor;
    report.nonfinite += nonfinite[tensor];
  }
  return report;
}

// The same elements of a buffer that a rule may keep: empty where it is.
inline std::span<float> piece_of(std::span<float> buffer, size_t begin, size_t end) {
  return buffer.empty() ? buffer : buffer.subspan(begin, end - begin);
}

}  // namespace signstep
