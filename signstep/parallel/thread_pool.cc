// SPDX-License-Identifier: Apache-2.0
#include "signstep/parallel/thread_pool.h"

#include <system_error>

#include "signstep/base/error.h"

namespace signstep {

ThreadPool::ThreadPool(size_t threads) {
  try {
    for (size_t i = 1; i < threads; ++i) workers_.emplace_back([this] { work(); });
  } catch (const std::system_error& e) {  // a joinable thread must not be destroyed
    stop();
    throw EnvironmentError(fmt::format("cannot start thread {} of {}: {}; use fewer threads, or raise the limit",
                                       workers_.size() + 2, threads, e.what()));
  }
}

ThreadPool::~ThreadPool() { stop(); }

void ThreadPool::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void ThreadPool::drain(const std::function<void(size_t)>& task, size_t count) {
  for (size_t i = next_.fetch_add(1); i < count; i = next_.fetch_add(1)) task(i);
}

void ThreadPool::run_all(size_t count, const std::function<void(size_t)>& task) {
  if (workers_.empty() || count <= 1) {
    for (size_t i = 0; i < count; ++i) task(i);
    return;
  }
  {
    std::lock_guard lock(mutex_);
    task_ = &task;
    count_ = count;
    next_ = 0;
    ++generation_;
  }
  wake_.notify_all();
  drain(task, count);
  std::unique_lock lock(mutex_);
  task_ = nullptr;
  done_.wait(lock, [this] { return busy_ == 0; });
}

void ThreadPool::work() {
  uint64_t seen = 0;
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [&] { return stopping_ || (task_ != nullptr && generation_ != seen); });
    if (stopping_) return;
    seen = generation_;
    const std::function<void(size_t)>& task = *task_;
    const size_t count = count_;
    ++busy_;
    lock.unlock();
    drain(task, count);
    lock.lock();
    if (--busy_ == 0) done_.notify_one();
  }
}

}  // namespace signstep
