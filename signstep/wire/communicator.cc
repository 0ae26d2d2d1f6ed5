// SPDX-License-Identifier: Apache-2.0
#include "signstep/wire/communicator.h"

#include <cassert>

#include "signstep/base/error.h"
#include "signstep/kernels/majority_vote.h"

namespace signstep {

Communicator::Communicator(size_t rank, size_t size) : rank_(rank), size_(size) {
  if (size < 1 || size > kMostWorkers) throw OptionError(fmt::format("{} ranks; wanted 1 to {}", size, kMostWorkers));
  if (rank >= size) throw OptionError(fmt::format("rank {} of {}; wanted 0 to {}", rank, size, size - 1));
}

void Communicator::all_to_all(std::span<const std::byte> send, std::span<std::byte> receive) {
  assert(send.size() == receive.size() && send.size() % size_ == 0);
  do_all_to_all(send, receive);
  sent_.all_to_all += send.size() / size_ * (size_ - 1);
}

void Communicator::all_gather(std::span<const std::byte> chunk, std::span<std::byte> all) {
  assert(all.size() == size_ * chunk.size());
  do_all_gather(chunk, all);
  sent_.all_gather += chunk.size() * (size_ - 1);
}

void Communicator::broadcast(std::span<std::byte> data, size_t root) {
  assert(root < size_);
  do_broadcast(data, root);
  if (rank_ == root) sent_.broadcast += data.size() * (size_ - 1);
}

void Communicator::barrier() { do_barrier(); }

}  // namespace signstep
