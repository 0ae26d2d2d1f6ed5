// SPDX-License-Identifier: Apache-2.0
// Internal to the kernels: cuts a list of tensors into partials of kPartialElements, computes each as one task of an
// executor and adds them in index order.
#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include "signstep/core/executor.h"
#include "signstep/core/lane_sums.h"

namespace signstep {

// size(t) elements of tensor t; compute(t, begin, end) returns a partial; totals[t] is set to the sum of its partials.
template <class Partial, class Size, class Compute>
void for_each_partial(std::span<Partial> totals, Executor& executor, Size&& size, Compute&& compute) {
  struct Task {
    size_t tensor, begin;
    Partial partial;
  };
  std::vector<Task> tasks;
  for (size_t t = 0; t < totals.size(); ++t)
    for (size_t begin = 0; begin < size(t); begin += kPartialElements) tasks.push_back({t, begin, {}});
  executor.run(tasks.size(), [&](size_t i) {
    Task& task = tasks[i];
    const size_t end = std::min(task.begin + kPartialElements, size(task.tensor));
    task.partial = compute(task.tensor, task.begin, end);
  });
  std::fill(totals.begin(), totals.end(), Partial{});
  for (const Task& task : tasks) totals[task.tensor] += task.partial;
}

}  // namespace signstep
