// SPDX-License-Identifier: Apache-2.0
#include "signstep/experiment/tuning_search.h"

#include <algorithm>
#include <numeric>

namespace signstep {
namespace {

// How far apart two neighbours along each axis stand in combinations(), whose last axis is the fastest.
std::vector<size_t> strides(const std::vector<GridAxis>& axes) {
  std::vector<size_t> out(axes.size(), 1);
  for (size_t a = axes.size(); a-- > 1;) out[a - 1] = out[a] * axes[a].values.size();
  return out;
}

// The learning rate matters most, so it goes first.
std::vector<size_t> search_order(const std::vector<GridAxis>& axes) {
  std::vector<size_t> order(axes.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_partition(order.begin(), order.end(), [&](size_t a) { return axes[a].option == "learning_rate"; });
  return order;
}

// None unless all are known.
std::optional<size_t> best_of(const std::vector<size_t>& trials, const TrialScore& score) {
  std::optional<size_t> best;
  double highest = 0;
  for (const size_t t : trials) {
    const std::optional<double> s = score(t);
    if (!s) return std::nullopt;
    if (!best || *s > highest) {
      best = t;
      highest = *s;
    }
  }
  return best;
}

SearchState search_coordinates(const std::vector<GridAxis>& axes, const TrialScore& score) {
  const std::vector<size_t> stride = strides(axes);
  SearchState state{.asked = {0}, .chosen = std::nullopt};
  size_t at = 0;
  for (const size_t a : search_order(axes)) {
    std::vector<size_t> line;  // at stands at this axis' first value
    for (size_t v = 0; v < axes[a].values.size(); ++v) line.push_back(at + v * stride[a]);
    state.asked.insert(state.asked.end(), line.begin() + 1, line.end());
    const std::optional<size_t> best = best_of(line, score);
    if (!best) return state;
    at = *best;
  }
  state.chosen = at;
  return state;
}

}  // namespace

size_t count_trials(const std::vector<GridAxis>& axes, TuningSearch search) {
  if (search == TuningSearch::kGrid) return count_combinations(axes);
  size_t count = 1;
  for (const GridAxis& axis : axes) count += axis.values.size() - 1;
  return count;
}

SearchState search_trials(const std::vector<GridAxis>& axes, TuningSearch search, const TrialScore& score) {
  if (search == TuningSearch::kCoordinate) return search_coordinates(axes, score);
  SearchState state;
  state.asked.resize(count_combinations(axes));
  std::iota(state.asked.begin(), state.asked.end(), size_t{0});
  state.chosen = best_of(state.asked, score);
  return state;
}

}  // namespace signstep
