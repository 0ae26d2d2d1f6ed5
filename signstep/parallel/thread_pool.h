// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

#include "signstep/parallel/executor.h"

namespace signstep {

// A fixed set of threads; the caller of run is one of them. Not re-entrant; one caller at a time. run waits only for
// threads that have begun: where other processes keep one from running, its share is done by the rest.
class ThreadPool final : public Executor {
 public:
  // At least 1, counting the caller. Throws EnvironmentError when the system refuses a thread.
  explicit ThreadPool(size_t threads);
  ~ThreadPool() override;
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  size_t threads() const override { return workers_.size() + 1; }

 private:
  void run_all(size_t count, const std::function<void(size_t)>& task) override;
  void work();
  void stop();
  void drain(const std::function<void(size_t)>& task, size_t count);

  std::mutex mutex_;
  std::condition_variable wake_, done_;
  const std::function<void(size_t)>* task_ = nullptr;  // null between runs: who comes late finds nothing to join
  size_t count_ = 0;
  std::atomic<size_t> next_{0};
  size_t busy_ = 0;  // workers that have joined the run
  uint64_t generation_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> workers_;
};

}  // namespace signstep
