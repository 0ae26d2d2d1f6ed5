// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>

#include "signstep/base/error.h"
#include "signstep/c10d/backend.h"
#include "signstep/c10d/local_address.h"

namespace signstep {

namespace {

using Gloo = c10d::ProcessGroupGloo;

std::string own_address(const Rendezvous& where, c10d::Store& store) {
  if (!where.file.empty()) return "127.0.0.1";
  const auto key = [](size_t rank) { return fmt::format("address/{}", rank); };
  const std::string own = local_address_towards(where.address, where.port);
  store.set(key(where.rank), std::vector<uint8_t>(own.begin(), own.end()));
  std::vector<std::string> all;
  for (size_t rank = 0; rank < where.size; ++rank) {
    const std::vector<uint8_t> text = store.get(key(rank));
    all.emplace_back(text.begin(), text.end());
  }
  return address_for_all(where.rank, all, where.port);
}

}  // namespace

OpenBackend open_gloo(const Rendezvous& where, c10::intrusive_ptr<c10d::Store> store,
                      std::chrono::milliseconds timeout) {
  auto options = Gloo::Options::create(timeout);
  const char* interface = std::getenv("GLOO_SOCKET_IFNAME");
  if (interface != nullptr) {
    options->devices.push_back(Gloo::createDeviceForInterface(interface));
  } else {
    options->devices.push_back(Gloo::createDeviceForHostname(own_address(where, *store)));
  }
  return {.group =
              c10::make_intrusive<Gloo>(store, static_cast<int>(where.rank), static_cast<int>(where.size), options)};
}

}  // namespace signstep
