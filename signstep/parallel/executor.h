// SPDX-License-Identifier: Apache-2.0
// Who runs the independent blocks of a kernel. The caller chooses, so that two thread pools never fight: our own pool
// (thread_pool.h), the calling thread (SerialExecutor), or an adapter around LibTorch's.
#pragma once

#include <cstddef>
#include <functional>

namespace signstep {

class Executor {
 public:
  virtual ~Executor() = default;
  // Calls task(i) once for each i in [0, count), in any order and on any thread, and returns when all are done.
  // Tasks must not throw and must not call run on the same executor.
  virtual void run(size_t count, const std::function<void(size_t)>& task) = 0;
  virtual size_t threads() const = 0;
};

class SerialExecutor final : public Executor {
 public:
  void run(size_t count, const std::function<void(size_t)>& task) override {
    for (size_t i = 0; i < count; ++i) task(i);
  }
  size_t threads() const override { return 1; }
};

}  // namespace signstep
