// SPDX-License-Identifier: Apache-2.0
// The store that ranks of a run meet at, and what they ask it: who is here, and who has stopped.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <torch/csrc/distributed/c10d/Store.hpp>
#include <vector>

#include "signstep/wire/rendezvous.h"

namespace signstep {

using StorePointer = c10::intrusive_ptr<c10d::Store>;

// Rank 0 keeps it, unless torchrun's agent does or a file serves. look is asked meanwhile, and what it throws ends the
// wait. Throws EnvironmentError where it cannot be kept or reached.
StorePointer open_store(const Rendezvous& where, std::chrono::milliseconds timeout,
                        const std::function<void()>& look = {});

// Returns when all ranks have come. look is asked meanwhile, and what it throws ends the meeting. Throws
// EnvironmentError that names the ranks that have not come by the timeout, the store that was lost, the rank that two
// processes say they are, or another number of ranks than rank 0's. A keeper that hangs costs the timeout and a grace
// of two seconds. A rank asks the store some ten times a second, or fewer where there are many.
void meet(const StorePointer& store, const Rendezvous& where, std::chrono::milliseconds timeout,
          const std::function<void()>& look);

struct Absence {
  std::vector<size_t> ranks;
  bool store_failed = false;  // before all were there; the ranks are those of the last answer, all where none came
};

// Says that this rank has stopped, and gives those that have not said so within the timeout, at most two seconds. Who
// is missing is found by halves: in 2 log2(ranks) questions where one is.
Absence stop_and_look(const StorePointer& store, size_t rank, size_t ranks, std::chrono::milliseconds timeout);

// "rank 3", "ranks 1, 3".
std::string names(const std::vector<size_t>& ranks);

// The first line of what c10d says, without its stack.
std::string first_line(const std::exception& e);

}  // namespace signstep
