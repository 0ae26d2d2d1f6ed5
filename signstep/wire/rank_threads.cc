// SPDX-License-Identifier: Apache-2.0
#include "signstep/wire/rank_threads.h"

#include <condition_variable>
#include <cstring>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include "signstep/base/error.h"
#include "signstep/kernels/majority_vote.h"

namespace signstep {
namespace {

// A collective call as one rank makes it.
struct Call {
  const char* name = "";
  size_t bytes = 0;  // the same at all ranks, as is
  size_t root = 0;
  const std::byte* data = nullptr;  // read by others until all have copied
};

// Where the ranks meet: all bring their calls, then all copy from one another, then all go.
class Meeting {
 public:
  Meeting(size_t ranks, std::chrono::milliseconds timeout) : timeout_(timeout), calls_(ranks), here_(ranks) {}

  // copy is given all calls, in rank order.
  void meet(size_t rank, const Call& call, const std::function<void(const std::vector<Call>&)>& copy) {
    std::unique_lock lock(mutex_);
    if (failure_.empty()) arrive(rank, call);
    const uint64_t round = round_;
    if (!everyone_is_here()) wait_for_the_others(lock, call.name);
    if (!failure_.empty()) throw WireError(failure_);
    lock.unlock();
    copy(calls_);
    lock.lock();
    if (++copied_ == calls_.size()) {
      copied_ = arrived_ = 0;
      here_.assign(here_.size(), false);
      ++round_;
      changed_.notify_all();
    }
    // No timeout and no failure here: all have come and only copy, and what they copy from must stay.
    changed_.wait(lock, [&] { return round_ != round; });
  }

  // rank makes no more calls, for that reason.
  void leave(size_t rank, const std::string& reason) {
    const std::lock_guard lock(mutex_);
    if (left_.empty()) left_ = fmt::format("rank {} {}", rank, reason);
    if (arrived_ > 0 && !everyone_is_here()) fail(left_);
  }

 private:
  bool everyone_is_here() const { return arrived_ == calls_.size(); }

  void arrive(size_t rank, const Call& call) {
    if (!left_.empty()) return fail(left_);
    for (size_t r = 0; r < calls_.size(); ++r) {
      const Call& other = calls_[r];
      if (here_[r] && (std::strcmp(other.name, call.name) != 0 || other.bytes != call.bytes || other.root != call.root))
        return fail(
            fmt::format("rank {} is at {} of {} bytes (root {}), rank {} at {} of {} bytes (root {}); wanted the same "
                        "calls at all ranks",
                        r, other.name, other.bytes, other.root, rank, call.name, call.bytes, call.root));
    }
    calls_[rank] = call;
    here_[rank] = true;
    if (++arrived_ == calls_.size()) changed_.notify_all();
  }

  void wait_for_the_others(std::unique_lock<std::mutex>& lock, const char* name) {
    const bool met = changed_.wait_for(lock, timeout_, [&] { return everyone_is_here() || !failure_.empty(); });
    if (met) return;
    std::string missing;
    for (size_t r = 0; r < here_.size(); ++r)
      if (!here_[r]) missing += fmt::format("{}{}", missing.empty() ? "" : ", ", r);
    fail(fmt::format("{}: rank {} did not come within {} ms", name, missing, timeout_.count()));
  }

  void fail(const std::string& reason) {
    failure_ = reason;
    changed_.notify_all();
  }

  const std::chrono::milliseconds timeout_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Call> calls_;
  std::vector<bool> here_;
  size_t arrived_ = 0, copied_ = 0;
  uint64_t round_ = 0;
  std::string left_, failure_;  // the first reasons, for good
};

class ThreadCommunicator final : public Communicator {
 public:
  ThreadCommunicator(size_t rank, size_t size, Meeting& meeting) : Communicator(rank, size), meeting_(meeting) {}

 private:
  void do_all_to_all(std::span<const std::byte> send, std::span<std::byte> receive) override {
    const size_t chunk = send.size() / size();
    meeting_.meet(rank(), {"all_to_all", send.size(), 0, send.data()}, [&](const std::vector<Call>& calls) {
      for (size_t r = 0; r < size(); ++r) copy(calls[r].data + rank() * chunk, chunk, receive.data() + r * chunk);
    });
  }
  void do_all_gather(std::span<const std::byte> chunk, std::span<std::byte> all) override {
    meeting_.meet(rank(), {"all_gather", chunk.size(), 0, chunk.data()}, [&](const std::vector<Call>& calls) {
      for (size_t r = 0; r < size(); ++r) copy(calls[r].data, chunk.size(), all.data() + r * chunk.size());
    });
  }
  void do_broadcast(std::span<std::byte> data, size_t root) override {
    meeting_.meet(rank(), {"broadcast", data.size(), root, data.data()}, [&](const std::vector<Call>& calls) {
      if (rank() != root) copy(calls[root].data, data.size(), data.data());
    });
  }
  void do_barrier() override {
    meeting_.meet(rank(), {"barrier"}, [](const std::vector<Call>&) {});
  }

  static void copy(const std::byte* from, size_t bytes, std::byte* to) {
    if (bytes > 0) std::memcpy(to, from, bytes);
  }

  Meeting& meeting_;
};

}  // namespace

void run_ranks(size_t ranks, std::chrono::milliseconds timeout, const std::function<void(Communicator&)>& work) {
  if (ranks < 1 || ranks > kMostWorkers)
    throw OptionError(fmt::format("{} ranks; wanted 1 to {}", ranks, kMostWorkers));
  Meeting meeting(ranks, timeout);
  std::mutex first_mutex;
  std::exception_ptr first;
  const auto keep_first = [&](std::exception_ptr error) {
    const std::lock_guard lock(first_mutex);
    if (!first) first = std::move(error);
  };
  const auto run = [&](size_t rank) {
    try {
      ThreadCommunicator communicator(rank, ranks, meeting);
      work(communicator);
      meeting.leave(rank, "has ended");
    } catch (const std::exception& e) {
      keep_first(std::current_exception());
      meeting.leave(rank, fmt::format("has failed: {}", e.what()));
    } catch (...) {
      keep_first(std::current_exception());
      meeting.leave(rank, "has failed");
    }
  };
  std::vector<std::thread> threads;
  try {
    for (size_t rank = 0; rank < ranks; ++rank) threads.emplace_back(run, rank);
  } catch (const std::system_error& e) {
    const std::string reason = fmt::format(
        "cannot start a thread for rank {} of {}: {}; use fewer ranks, or raise the "
        "limit",
        threads.size(), ranks, e.what());
    keep_first(std::make_exception_ptr(EnvironmentError(reason)));
    meeting.leave(threads.size(), "could not be started");
  }
  for (std::thread& thread : threads) thread.join();
  if (first) std::rethrow_exception(first);
}

}  // namespace signstep
