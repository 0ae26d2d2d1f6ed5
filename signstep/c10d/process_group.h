// SPDX-License-Identifier: Apache-2.0
// Ranks as processes, on one machine or many, over PyTorch's c10d. c10d neither authenticates nor encrypts: a network
// that is trusted is assumed.
#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include "signstep/wire/communicator.h"
#include "signstep/wire/rendezvous.h"

namespace signstep {

// Throws OptionError where this build has not that one.
void require_backend(WorkerBackend backend);

// Meets the other ranks and returns when all are connected. Rank 0 keeps the store, unless torchrun's agent does.
// Gloo's traffic goes through the interface GLOO_SOCKET_IFNAME where that is set, else through the one that leads to
// the store. NCCL takes the CUDA device of the rank's number on its machine, and makes it the process's. timeout is
// that of the meeting and of each call. look is asked again and again until all have come; what it throws ends the
// meeting. Throws OptionError as require_backend does, and EnvironmentError, which names the ranks that did not come,
// or the store where it cannot be reached. SIGPIPE is ignored from then on, unless somebody handles it: Gloo writes to
// ranks that may be gone, which is an error of the call and not the end of the process. Not to be called in a child
// that a process with threads has forked. That all ranks call with the same sizes is the caller's part: Gloo ends the
// process that is sent more than it asked for.
std::unique_ptr<Communicator> join_process_group(const Rendezvous& where,
                                                 std::chrono::milliseconds timeout = kWireTimeout,
                                                 WorkerBackend backend = WorkerBackend::kGloo,
                                                 const std::function<void()>& look = {});

}  // namespace signstep
