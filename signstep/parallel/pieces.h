// SPDX-License-Identifier: Apache-2.0
// The one way in which work over elements is cut: pieces of kPieceElements, each one task of an executor, their results
// added in index order. So a sum of doubles has the same bits for any number of threads.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include "signstep/parallel/executor.h"

namespace signstep {

inline constexpr size_t kPieceElements = size_t{1} << 18;

// compute(t, begin, end) for each piece of each tensor, which has size(t) elements, on any thread; totals[t] is set to
// the sum of what it returned for t.
template <class Result, class Size, class Compute>
void sum_pieces(std::span<Result> totals, Executor& executor, Size&& size, Compute&& compute) {
  struct Piece {
    size_t tensor, begin;
    Result result;
  };
  std::vector<Piece> pieces;
  for (size_t t = 0; t < totals.size(); ++t)
    for (size_t begin = 0; begin < size(t); begin += kPieceElements) pieces.push_back({t, begin, {}});
  executor.run(pieces.size(), [&](size_t i) {
    Piece& piece = pieces[i];
    piece.result = compute(piece.tensor, piece.begin, std::min(piece.begin + kPieceElements, size(piece.tensor)));
  });
  const SpecifiedFloats floats;
  std::fill(totals.begin(), totals.end(), Result{});
  for (const Piece& piece : pieces) totals[piece.tensor] += piece.result;
}

// The sum of compute(begin, end) over the pieces of [0, count).
template <class Result, class Compute>
Result sum_pieces(size_t count, Executor& executor, Compute&& compute) {
  Result total{};
  sum_pieces(
      std::span(&total, 1), executor, [&](size_t) { return count; },
      [&](size_t, size_t begin, size_t end) { return compute(begin, end); });
  return total;
}

// work(begin, end) for the pieces of [0, count), on any thread.
template <class Work>
void for_each_piece(size_t count, Executor& executor, Work&& work) {
  executor.run((count + kPieceElements - 1) / kPieceElements,
               [&](size_t i) { work(i * kPieceElements, std::min((i + 1) * kPieceElements, count)); });
}

}  // namespace signstep
