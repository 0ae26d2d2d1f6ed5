// SPDX-License-Identifier: Apache-2.0
#include "cli/world.h"
#include "signstep/c10d/process_group.h"

namespace signstep::cli {

void require_worlds(WorkerBackend backend) { require_backend(backend); }

std::unique_ptr<Communicator> join_world(const Rendezvous& where, std::chrono::milliseconds timeout,
                                         WorkerBackend backend, const std::function<void()>& look) {
  return join_process_group(where, timeout, backend, look);
}

}  // namespace signstep::cli
