// SPDX-License-Identifier: Apache-2.0
#include "cli/world.h"
#include "signstep/base/error.h"

namespace signstep::cli {

void require_worlds(WorkerBackend) {
  throw OptionError(
      "several workers meet over PyTorch's c10d, which this program was built without; build it with LibTorch and "
      "gloo's headers (Debian: libtorch-dev libgloo-dev), or use one worker");
}

std::unique_ptr<Communicator> join_world(const Rendezvous&, std::chrono::milliseconds, WorkerBackend backend,
                                         const std::function<void()>&) {
  require_worlds(backend);
  return nullptr;
}

}  // namespace signstep::cli
