// SPDX-License-Identifier: Apache-2.0
// What carries the bytes of a run's workers, where this program has it.
#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include "signstep/wire/communicator.h"
#include "signstep/wire/rendezvous.h"

namespace signstep::cli {

// Throws OptionError where it has not.
void require_worlds(WorkerBackend backend);

// Meets the other ranks; look is asked until all have come. Throws OptionError, EnvironmentError and what look throws.
std::unique_ptr<Communicator> join_world(const Rendezvous& where, std::chrono::milliseconds timeout,
                                         WorkerBackend backend, const std::function<void()>& look);

}  // namespace signstep::cli
