// SPDX-License-Identifier: Apache-2.0
// What carries the bytes of a run's workers, where this program has it.
#pragma once

#include <chrono>
#include <memory>

#include "signstep/wire/communicator.h"
#include "signstep/wire/rendezvous.h"

namespace signstep::cli {

// Throws OptionError where it has not.
void require_worlds(WorkerBackend backend);

// Meets the other ranks. Throws OptionError and EnvironmentError.
std::unique_ptr<Communicator> join_world(const Rendezvous& where, std::chrono::milliseconds timeout,
                                         WorkerBackend backend);

}  // namespace signstep::cli
