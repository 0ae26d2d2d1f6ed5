// SPDX-License-Identifier: Apache-2.0
// The seam between what ranks agree on and what carries their bytes: no type of a framework or a network appears here.
// Behind it are threads of one process (rank_threads.h) and processes over PyTorch's c10d.
//
// A call is collective: every rank makes the same calls in the same order with the same sizes, and each call returns
// when this rank has its result. Where a rank does not come within the communicator's timeout, has ended or has failed,
// the call throws WireError, an EnvironmentError, which names it; the communicator is of no more use then. One thread
// at a time.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "signstep/base/error.h"

namespace signstep {

inline constexpr std::chrono::milliseconds kWireTimeout = std::chrono::minutes(5);

// Another rank is the cause. Rank 0 lives and says so too, unless it is lost itself.
class WireError : public EnvironmentError {
 public:
  explicit WireError(const std::string& message, bool first_is_lost = false)
      : EnvironmentError(message), first_is_lost_(first_is_lost) {}
  bool first_is_lost() const { return first_is_lost_; }

 private:
  bool first_is_lost_;
};

// Payload that this rank has sent to others, in bytes; what an engine adds (headers, acknowledgements) is not counted.
struct WireBytes {
  uint64_t all_to_all = 0;
  uint64_t all_gather = 0;
  uint64_t broadcast = 0;

  uint64_t total() const { return all_to_all + all_gather + broadcast; }
};

class Communicator {
 public:
  // size in [1, kMostWorkers], rank < size; throws OptionError.
  Communicator(size_t rank, size_t size);
  virtual ~Communicator() = default;
  Communicator(const Communicator&) = delete;
  Communicator& operator=(const Communicator&) = delete;

  size_t rank() const { return rank_; }
  size_t size() const { return size_; }
  const WireBytes& sent() const { return sent_; }

  // Both are size() chunks of equal length. Chunk r of receive is chunk rank() of what rank r sends. No overlap.
  void all_to_all(std::span<const std::byte> send, std::span<std::byte> receive);
  // all.size() == size() * chunk.size(). Chunk r of all is what rank r gives. No overlap.
  void all_gather(std::span<const std::byte> chunk, std::span<std::byte> all);
  // root's data becomes everyone's. root < size().
  void broadcast(std::span<std::byte> data, size_t root);
  // Returns when every rank has called it.
  void barrier();

 private:
  virtual void do_all_to_all(std::span<const std::byte> send, std::span<std::byte> receive) = 0;
  virtual void do_all_gather(std::span<const std::byte> chunk, std::span<std::byte> all) = 0;
  virtual void do_broadcast(std::span<std::byte> data, size_t root) = 0;
  virtual void do_barrier() = 0;

  const size_t rank_, size_;
  WireBytes sent_;
};

}  // namespace signstep
