// SPDX-License-Identifier: Apache-2.0
// Cuts a list of tensors into tasks for an executor.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "signstep/core/executor.h"

namespace signstep {

inline constexpr size_t kTaskElements = 64 * 4096;

// Calls f(tensor number, first element, one past the last) for every piece of at most kTaskElements, on any thread,
// and returns the sum of what f returned: a count, so the order of adding does not matter.
template <class F>
uint64_t for_each_piece(std::span<const size_t> sizes, Executor& executor, F&& f) {
  struct Piece {
    size_t tensor, begin, end;
  };
  std::vector<Piece> pieces;
  for (size_t t = 0; t < sizes.size(); ++t)
    for (size_t begin = 0; begin < sizes[t]; begin += kTaskElements)
      pieces.push_back({t, begin, std::min(begin + kTaskElements, sizes[t])});
  std::vector<uint64_t> counts(pieces.size());
  executor.run(pieces.size(), [&](size_t i) { counts[i] = f(pieces[i].tensor, pieces[i].begin, pieces[i].end); });
  uint64_t total = 0;
  for (const uint64_t c : counts) total += c;
  return total;
}

}  // namespace signstep
