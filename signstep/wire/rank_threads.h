// SPDX-License-Identifier: Apache-2.0
// Ranks as threads of one process, for tests and for simulating many workers on one machine.
#pragma once

#include <chrono>
#include <functional>

#include "signstep/wire/communicator.h"

namespace signstep {

// Runs work once for each rank, each on a thread of its own with a communicator between them, and returns when all have
// ended. When one throws, the ranks that wait for it get an EnvironmentError that names it, and run_ranks throws on
// what was thrown first. Throws OptionError for ranks outside [1, kMostWorkers], EnvironmentError when the system
// refuses a thread. timeout is each call's, for the others to come.
void run_ranks(size_t ranks, std::chrono::milliseconds timeout, const std::function<void(Communicator&)>& work);

}  // namespace signstep
