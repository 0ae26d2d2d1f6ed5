// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>

#include "signstep/c10d/backend.h"
#include "signstep/c10d/local_address.h"

namespace signstep {

using Gloo = c10d::ProcessGroupGloo;

OpenBackend open_gloo(const Rendezvous& where, c10::intrusive_ptr<c10d::Store> store,
                      std::chrono::milliseconds timeout) {
  auto options = Gloo::Options::create(timeout);
  const char* interface = std::getenv("GLOO_SOCKET_IFNAME");
  if (interface != nullptr) {
    options->devices.push_back(Gloo::createDeviceForInterface(interface));
  } else {
    options->devices.push_back(Gloo::createDeviceForHostname(
        where.file.empty() ? local_address_towards(where.address, where.port) : "127.0.0.1"));
  }
  return {.group =
              c10::make_intrusive<Gloo>(store, static_cast<int>(where.rank), static_cast<int>(where.size), options)};
}

}  // namespace signstep
