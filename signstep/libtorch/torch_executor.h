// SPDX-License-Identifier: Apache-2.0
// LibTorch's own threads run our kernels, so that two pools never compete for the cores.
#pragma once

#include <ATen/Parallel.h>

#include <algorithm>
#include <atomic>
#include <functional>

#include "signstep/parallel/executor.h"

namespace signstep {

class TorchExecutor final : public Executor {
 public:
  size_t threads() const override { return static_cast<size_t>(at::get_num_threads()); }

 private:
  // at::parallel_for would cut the tasks into as many runs as there are threads, of equal number and unequal work: a
  // network's large tensors come last. So each thread takes the next task when it is done with one.
  void run_all(size_t count, const std::function<void(size_t)>& task) override {
    std::atomic<size_t> next = 0;
    at::parallel_for(0, static_cast<int64_t>(std::min(count, threads())), 1, [&](int64_t begin, int64_t end) {
      for (int64_t worker = begin; worker < end; ++worker)
        for (size_t i; (i = next.fetch_add(1, std::memory_order_relaxed)) < count;) task(i);
    });
  }
};

}  // namespace signstep
