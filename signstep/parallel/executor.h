// SPDX-License-Identifier: Apache-2.0
// Who runs the independent blocks of a kernel. The caller chooses, so that two thread pools never fight: our own pool
// (thread_pool.h), the calling thread (SerialExecutor), or an adapter around LibTorch's.
#pragma once

#include <cstddef>
#include <functional>

#include "signstep/base/float_environment.h"

namespace signstep {

class Executor {
 public:
  virtual ~Executor() = default;
  // Calls task(i) once for each i in [0, count), in any order and on any thread, and returns when all are done. Tasks
  // must not throw and must not call run on the same executor. All compute with SpecifiedFloats, whatever the threads
  // have: who comes to a task first must not decide its bits.
  void run(size_t count, const std::function<void(size_t)>& task) {
    run_all(count, [&task](size_t i) {
      const SpecifiedFloats floats;
      task(i);
    });
  }
  virtual size_t threads() const = 0;

 protected:
  virtual void run_all(size_t count, const std::function<void(size_t)>& task) = 0;
};

class SerialExecutor final : public Executor {
 public:
  size_t threads() const override { return 1; }

 private:
  void run_all(size_t count, const std::function<void(size_t)>& task) override {
    for (size_t i = 0; i < count; ++i) task(i);
  }
};

}  // namespace signstep
